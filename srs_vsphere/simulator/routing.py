"""The router: which operation a request is for, and what is answered when it is for none.

What the router refuses has no body and needs no key.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from attrs import field, frozen

from srs_vsphere.simulator.answers import NOT_FOUND, UNSUPPORTED_MEDIA_TYPE
from srs_vsphere.simulator.exchange import Reply, Request

#: Method, path and name of every operation. Only ``about`` does not mind the content type.
_ROUTES = (
    ("GET", "/api/about", "about"),
    ("POST", "/api/auth/login", "auth.login"),
    ("POST", "/api/auth/logout", "auth.logout"),
    ("GET", "/api/runspaces", "runspaces.list"),
    ("POST", "/api/runspaces", "runspaces.create"),
    ("GET", "/api/runspaces/*", "runspaces.get"),
    ("DELETE", "/api/runspaces/*", "runspaces.delete"),
    ("GET", "/api/script-executions", "script_executions.list"),
    ("POST", "/api/script-executions", "script_executions.create"),
    ("GET", "/api/script-executions/*", "script_executions.get"),
    ("POST", "/api/script-executions/*/cancel", "script_executions.cancel"),
    ("GET", "/api/script-executions/*/output", "script_executions.output"),
    ("GET", "/api/script-executions/*/streams/*", "script_executions.streams"),
    ("GET", "/api/argument-scripts/templates", "argument_scripts.templates"),
    ("GET", "/api/argument-scripts/templates/*", "argument_scripts.template"),
    ("POST", "/api/argument-scripts/script", "argument_scripts.script"),
    ("GET", "/api/webconsoles", "web_consoles.list"),
    ("POST", "/api/webconsoles", "web_consoles.create"),
    ("GET", "/api/webconsoles/*", "web_consoles.get"),
    ("DELETE", "/api/webconsoles/*", "web_consoles.delete"),
)


@frozen(eq=False)
class Call:
    """A request that the router has passed on.

    Args:
        operation: the operation's name.
        request: the request.
        path: what the path holds in place of the route's placeholders, decoded.
        query: the query, not decoded.
    """

    operation: str
    request: Request
    path: tuple[str, ...] = ()
    query: str = ""


@frozen(eq=False)
class _Place:
    """One path and what may be done there."""

    segments: tuple[str, ...]
    operations: dict[str, str] = field(factory=dict[str, str])


def _places() -> dict[int, list[_Place]]:
    by_path: dict[str, _Place] = {}
    for method, path, operation in _ROUTES:
        place = by_path.setdefault(path, _Place(tuple(path.strip("/").split("/"))))
        place.operations[method] = operation
    by_length: dict[int, list[_Place]] = {}
    for place in by_path.values():
        by_length.setdefault(len(place.segments), []).append(place)
    return by_length


_PLACES = _places()
#: The frequent case, found without taking the path apart.
_LITERAL = {(method, path): operation for method, path, operation in _ROUTES if "*" not in path}


def operation_of(request: Request) -> str | None:
    """Return the name of the operation that a request is for, or None.

    Args:
        request: the request; its content type is not looked at.
    """
    routed = _find(request)
    return routed.operation if isinstance(routed, Call) else None


def route(request: Request) -> Call | Reply:
    """Find the operation that a request is for.

    Args:
        request: the request.

    Returns:
        The call to carry out, or the router's own answer.
    """
    routed = _find(request)
    if isinstance(routed, Call) and routed.operation != "about":
        content_type = request.header("content-type")
        if content_type and not is_json(content_type):
            return UNSUPPORTED_MEDIA_TYPE
    return routed


def is_json(content_type: str) -> bool:
    """Say whether the service reads a content type as JSON.

    Args:
        content_type: the header's value.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _find(request: Request) -> Call | Reply:
    operation = _LITERAL.get((request.method, request.target))
    if operation is not None:
        return Call(operation, request)
    raw, _, query = request.target.partition("?")
    segments = _segments(raw)
    for place in _PLACES.get(len(segments), ()):
        path = _match(place, segments)
        if path is not None:
            operation = place.operations.get(request.method)
            if operation is None:
                return Reply(405, (("Allow", ", ".join(sorted(place.operations))),))
            return Call(operation, request, path, query)
    return NOT_FOUND


def _segments(raw: str) -> list[str]:
    segments = [_decode(part) for part in raw.removeprefix("/").removesuffix("/").split("/")]
    if ".." in segments or "." in segments:
        resolved: list[str] = []
        for segment in segments:
            if segment == "..":
                del resolved[-1:]
            elif segment != ".":
                resolved.append(segment)
        return resolved
    return segments


def _decode(segment: str) -> str:
    """Decode a segment, but for slashes, which stay encoded."""
    if "%" not in segment:
        return segment
    kept = segment.replace("%2F", "%252F").replace("%2f", "%252f")
    return unquote_to_bytes(kept).decode("utf-8", "replace")


def _match(place: _Place, segments: list[str]) -> tuple[str, ...] | None:
    values: list[str] = []
    for expected, actual in zip(place.segments, segments, strict=True):
        if expected == "*":
            if not actual:
                return None
            values.append(actual)
        elif expected != actual.lower():
            return None
    return tuple(values)
