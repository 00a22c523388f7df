"""Which error a response means: the one table from (HTTP status, error code) to class.

The service's own code decides. The HTTP status is asked only where there is no code, because the service
says 500 for a full quota, 500 for a busy runspace and 404 with code 500 for an unknown script.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import cast

from attrs import field, frozen

from srs_vsphere._codec import strict_json
from srs_vsphere.errors import (
    AuthenticationError,
    Facts,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    RunspaceBusyError,
    RunspaceNotReadyError,
    ServerError,
    SrsError,
    TooManyRequestsError,
)

#: How much of a body is kept as ``details``.
_LONGEST_DETAILS = 20_000
#: The runspace responded to the gateway with HTTP error n, which it passes on as code 1000 + n.
_RUNSPACE_CODES = range(1400, 1600)


PROXY_ADVICE = (
    "Put the credentials into the proxy's variable, as in http://user:password@proxy.example.com:3128."
)


@frozen
class _Meaning:
    """An error's class and what to do next; without an advice the class's own stands."""

    error: type[SrsError]
    advice: str | None = None


_SCRIPT_NOT_FOUND = _Meaning(
    NotFoundError,
    "A script execution can be read a moment after its creation; it is gone after five days, after 30 newer"
    " ones, with its server's restart, and for other users.",
)
_FORGOTTEN = _Meaning(
    ServerError,
    "The service has let go of it all the same and will not find it again, though its pod may still run:"
    " the service's log says why.",
)

#: By the service's error code.
_BY_CODE: dict[int, _Meaning] = {
    1000: _Meaning(
        ServerError,
        "The runspace cannot be reached: look in script_executions.list() whether the script started, then"
        " use another runspace.",
    ),
    # The script had started when the service failed to store it.
    1025: _Meaning(OutcomeUnknownError),
    1040: _SCRIPT_NOT_FOUND,
    1310: _Meaning(RunspaceBusyError),
    2020: _Meaning(QuotaExceededError),
    2030: _Meaning(NotFoundError),
    2031: _Meaning(RunspaceNotReadyError),
    2040: _FORGOTTEN,
    2060: _Meaning(QuotaExceededError),
    2070: _Meaning(NotFoundError),
    4010: _Meaning(
        NotFoundError, "Ids of templates are case-sensitive: argument_scripts.list() has them all."
    ),
}
_BY_RUNSPACE = _Meaning(
    ServerError, "The runspace failed, not the script: use another runspace if it happens again."
)
_UNCODED = _Meaning(ServerError)

#: By HTTP status, where the response has no code: the service's router and sign-on, and proxies before it.
_BY_STATUS: dict[int, _Meaning] = {
    400: _Meaning(InvalidRequestError),
    401: _Meaning(
        AuthenticationError,
        "The API key is unknown, expired or logged out: log in again, or give a fresh key.",
    ),
    403: _Meaning(
        AuthenticationError, "The service itself never says so: ask whoever runs the proxy before it."
    ),
    404: _Meaning(
        InvalidRequestError,
        "The service has no such address: check that the URL is the root of the Script Runtime Service.",
    ),
    405: _Meaning(
        InvalidRequestError,
        "The service has no such operation: check that the URL is the root of the Script Runtime Service.",
    ),
    407: _Meaning(AuthenticationError, PROXY_ADVICE),
    408: _Meaning(
        ServerError, "A proxy before the service gave up a connection on which it saw no request: call again."
    ),
    413: _Meaning(
        InvalidRequestError,
        "Make script and parameters smaller: the proxy before the service takes 1 MiB unless set otherwise.",
    ),
    415: _Meaning(
        InvalidRequestError,
        "The service takes application/json only: look for a proxy or a hook that changes Content-Type.",
    ),
    429: _Meaning(TooManyRequestsError),
    502: _Meaning(
        ServerError,
        "The proxy cannot reach the service: try later, and look first whether the call took effect.",
    ),
    503: _Meaning(ServerError, "The service is starting, stopping or overloaded: try later."),
    504: _Meaning(
        ServerError,
        "The service was too slow for the proxy and may still carry the call out: look before repeating it.",
    ),
}
_LOGIN_REFUSED = _Meaning(AuthenticationError)
_REDIRECTED = _Meaning(
    InvalidRequestError,
    "Redirects are not followed, for they would carry credentials elsewhere: give the URL they lead to.",
)
_REFUSED = _Meaning(InvalidRequestError)
_FAILED = _Meaning(ServerError)


@frozen
class _Body:
    """What an error's body says."""

    message: str
    code: int | None = None
    details: str | None = None
    fields: dict[str, list[str]] = field(factory=dict[str, list[str]])


def error_for(
    operation_name: str, host: str, status: int, content_type: str | None, body: bytes, attempts: int
) -> SrsError:
    """Turn a response that is no success into the error it means.

    Args:
        operation_name: name of the operation, such as ``runspaces.list``.
        host: host and port of the service.
        status: HTTP status; 0 is what the service sends for a runspace it cannot reach.
        content_type: the response's ``Content-Type``, None if it had none.
        body: the response's body; it may be cut off.
        attempts: how many times the request was tried.

    Returns:
        The error, to be raised. Its text holds no stack trace: that is kept in ``details``.
    """
    said = _read(status, content_type, body)
    meaning = _meaning(operation_name, status, said)
    facts = Facts(
        operation=operation_name,
        host=host,
        status=status,
        code=said.code,
        attempts=attempts,
        details=said.details,
    )
    if meaning.advice is not None:
        facts["advice"] = meaning.advice
    if meaning.error is InvalidRequestError:
        return InvalidRequestError(said.message, fields=said.fields, **facts)
    return meaning.error(said.message, **facts)


def _meaning(operation_name: str, status: int, said: _Body) -> _Meaning:
    if status == HTTPStatus.UNAUTHORIZED:
        return _LOGIN_REFUSED if operation_name == "auth.login" else _BY_STATUS[status]
    if said.code is not None:
        return _meaning_of_code(said.code, status, said.details or "")
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return _REDIRECTED
    return _REFUSED if 400 <= status < 500 else _FAILED


def _meaning_of_code(code: int, status: int, details: str) -> _Meaning:
    # Deleting says 2040 both for an unknown id and for a pod that cannot be killed; only the text differs.
    if code == 2040 and "doesn't have run" in details:
        return _BY_CODE[2030]
    if code in _BY_CODE:
        return _BY_CODE[code]
    # Cancelling an unknown script gives 404 with the code of anything unforeseen.
    if status == HTTPStatus.NOT_FOUND:
        return _SCRIPT_NOT_FOUND if code == 500 else _BY_CODE[2030]
    return _BY_RUNSPACE if code in _RUNSPACE_CODES else _UNCODED


def _read(status: int, content_type: str | None, body: bytes) -> _Body:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not body.strip():
        return _Body(f"the response was {_named(status)}, without a body")
    if kind == "application/json" or kind.endswith("+json"):
        try:
            document = strict_json.loads(body)
        except ValueError:
            document = None
        if isinstance(document, dict):
            return _from_json(status, cast("dict[str, object]", document))
    text = body[:_LONGEST_DETAILS].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    # Loaded on use: its table of names is long.
    import html

    named = " ".join(html.unescape(title[1]).split()) if title else _named(status)
    return _Body(f"a server before the service responded with a page: {named}", details=text)


def _from_json(status: int, document: dict[str, object]) -> _Body:
    code = document.get("code")
    message = document.get("error_message")
    if type(code) is int or isinstance(message, str):
        text, trace = _without_trace(message if isinstance(message, str) else "")
        details = document.get("details")
        return _Body(
            text or f"the response was {_named(status)}, without a message",
            code=code if type(code) is int else None,
            details=details[:_LONGEST_DETAILS] if isinstance(details, str) else trace,
        )
    fields = _fields(document.get("errors"))
    title = document.get("title")
    message = title if isinstance(title, str) and title else f"the response was {_named(status)}"
    if fields:
        told = "; ".join(
            f"{name}: {complaint}" if name else complaint
            for name, complaints in fields.items()
            for complaint in complaints
        )
        message = f"{message.removesuffix('.')}: {told}"
    return _Body(message, fields=fields)


def _fields(errors: object) -> dict[str, list[str]]:
    if not isinstance(errors, dict):
        return {}
    named = cast("dict[str, object]", errors)
    return {
        name: [text for text in cast("list[object]", texts) if isinstance(text, str)]
        for name, texts in named.items()
        if isinstance(texts, list)
    }


def _without_trace(message: str) -> tuple[str, str | None]:
    """Cut the stack trace off that some of the service's messages go on with."""
    trace = re.search(r"\n\s+at |\n\s*---", message)
    if trace is None:
        return message.strip(), None
    return message[: trace.start()].strip(), message[:_LONGEST_DETAILS]


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"
