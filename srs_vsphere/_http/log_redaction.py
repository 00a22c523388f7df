"""What may be logged: the HTTP library's debug log shows headers, and the API key is one of them."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(
    r"""((?:x-srs-api-key|authorization)['"]?[ \t]*[:,=][ \t]*)  # as in a dict, a pair, a header line
        (?:(b?(['"]))(?:\\.|(?!\3)[^\\])*                        # a text or bytes as repr() shows them
         |[^\s'"\\][^\r\n'"\\]*)                                 # or plain, to the end of the line
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

#: A filter on a logger sees only what is logged to it directly, so each is named.
_LOGGERS = (
    *(
        f"{library}.{part}"
        for library in ("httpcore", "httpcore2")
        for part in ("connection", "http11", "http2", "proxy", "socks")
    ),
    "hpack.hpack",
    "hpack.table",
)
#: HTTP/2's headers as they are sent: compressed, in which no pattern finds a key, but anybody can undo that.
_COMPRESSED = ("Encoded header block", "Decoding ")


class _KeyFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        redacted = _KEY.sub(lambda found: f"{found[1]}{found[2] or ''}***", text)
        if redacted != text:
            record.msg, record.args = redacted, None
        return not text.startswith(_COMPRESSED)


_filter = _KeyFilter()


def install() -> None:
    """Take keys and credentials out of the HTTP library's debug log; installed twice, it works once."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
