"""What a proxy in front of the service answers by itself: HTML pages, and the words of status lines."""

from __future__ import annotations

from http import HTTPStatus

from srs_vsphere.simulator.exchange import Reply

# Where nginx uses other words than Python's table, or Python's table changes.
_REASONS = {
    0: "",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def reason(status: int) -> str:
    """Return the words that follow a status in the status line.

    Args:
        status: HTTP status; 0 has none.
    """
    if status in _REASONS:
        return _REASONS[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def page(status: int, detail: str = "") -> Reply:
    """Return nginx's page for a status.

    Args:
        status: HTTP status.
        detail: a second line, which nginx has for some of its refusals; it then is the title too.
    """
    words = f"{status} {reason(status)}"
    lines = [
        "<html>",
        f"<head><title>{f'{status} {detail}' if detail else words}</title></head>",
        "<body>",
        f"<center><h1>{words}</h1></center>",
        *([f"<center>{detail}</center>"] if detail else []),
        "<hr><center>nginx/1.22.1</center>",
        "</body>",
        "</html>",
        "",
    ]
    return Reply(status, (("Content-Type", "text/html"),), "\r\n".join(lines).encode())
