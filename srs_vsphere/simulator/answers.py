"""The replies that the service's controllers and the framework in front of them give."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from srs_vsphere.simulator.exchange import Reply

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

JSON_HEADERS = (("Content-Type", "application/json; charset=utf-8"),)

OK = Reply(200)
NO_CONTENT = Reply(204)
UNAUTHORIZED = Reply(401)
NOT_FOUND = Reply(404)
UNSUPPORTED_MEDIA_TYPE = Reply(415)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: An exception that no controller caught.
INTERNAL_ERROR = Reply(500)

PROVIDER_EXCEPTION = "VMware.ScriptRuntimeService.RunspaceProviders.Types.RunspaceProviderException"
ENDPOINT_EXCEPTION = "VMware.ScriptRuntimeService.Runspace.Types.RunspaceEndpointException"


def dumps(value: Json) -> bytes:
    """Write JSON as the service does: compact, in UTF-8, escaping no more than it must.

    Args:
        value: what to write.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not text.isascii():
        for sign in "\u0085\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _LONE_SURROGATE.sub("\ufffd", text).encode()


def json_reply(value: Json, status: int = 200) -> Reply:
    """Return a reply with a JSON body.

    Args:
        value: what the body says.
        status: HTTP status.
    """
    return Reply(status, JSON_HEADERS, dumps(value))


def bytes_reply(body: bytes | Iterable[bytes], status: int = 200) -> Reply:
    """Return a reply with a body that is JSON already.

    Args:
        body: the JSON, whole or in pieces.
        status: HTTP status.
    """
    return Reply(status, JSON_HEADERS, body)


def error_details(code: int, message: str, details: str | None = None) -> dict[str, Json]:
    """Return the members of the service's own description of an error.

    Args:
        code: the service's code.
        message: what happened.
        details: the exception behind it; left out when None.
    """
    members: dict[str, Json] = {"code": code, "error_message": message}
    if details is not None:
        members["details"] = details
    return members


def error_reply(status: int, code: int, message: str, details: str | None = None) -> Reply:
    """Return a reply that says what went wrong in the service's own way.

    Args:
        status: HTTP status.
        code: the service's code.
        message: what happened.
        details: the exception behind it; left out when None.
    """
    return json_reply(error_details(code, message, details), status)


def with_trace(exception: str) -> str:
    """Return the text of an exception with a stack trace, of which the simulator has only one line.

    Args:
        exception: the exception's type and message.
    """
    return f"{exception}\n   at VMware.ScriptRuntimeService.Simulated.Frame()"
