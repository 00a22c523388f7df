"""The operations of the service, one row each: what is sent, and whether it may be sent twice."""

from __future__ import annotations

from urllib.parse import quote

from attrs import frozen

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.models.stream_record import StreamType

#: Servers take a request line of 8 KiB; the service's ids have 50 characters at most.
_LONGEST_ID = 4096


@frozen(eq=False)
class Operation:
    """One operation of the service.

    Args:
        name: what errors and logs call it.
        method: HTTP method.
        path: path below the host; ``{id}`` stands for the resource's id.
        idempotent: whether doing it twice ends as doing it once, so that it may be repeated when
            it is unknown whether the first attempt was carried out.
        needs_key: whether it takes the session's API key.
        slow: whether the service may take minutes before it responds.
    """

    name: str
    method: str
    path: str
    idempotent: bool
    needs_key: bool = True
    slow: bool = False

    def path_for(self, id: str) -> str:
        """Return the path of one resource.

        Args:
            id: the resource's id, sent percent-encoded.

        Raises:
            TypeError: the id is not text.
            ValueError: the id is blank, too long for a URL, no text that UTF-8 can carry, a dot segment that
                would lead to another operation, or holds a slash, which some proxies decode.
        """
        if not isinstance(id, str):
            raise InvalidArgumentTypeError(f"id must be text, not {type(id).__name__}")
        if not id.strip() or id in {".", ".."}:
            raise InvalidArgumentValueError(f"id must name a resource, not {id!r}")
        if "/" in id or "\\" in id:
            # Some proxies decode it, and would see another path.
            raise InvalidArgumentValueError(f"id must be without slashes, not {id!r}")
        try:
            encoded = quote(id, safe="")
        except UnicodeEncodeError:
            raise InvalidArgumentValueError(f"id must be without lone surrogates, not {id!r}") from None
        if len(encoded) > _LONGEST_ID:
            raise InvalidArgumentValueError(f"id must be shorter than {len(id)} characters")
        return self.path.replace("{id}", encoded)

    def is_about(self, id: object, path: str) -> bool:
        """Whether a response with this id belongs to a request for this path.

        Args:
            id: the id of the object in the response.
            path: of the request.
        """
        if "{id}" not in self.path or not isinstance(id, str):
            return True
        return self.path.replace("{id}", quote(id, safe="")) == path


ABOUT = Operation("about", "GET", "/api/about", idempotent=True, needs_key=False)

# A second login only makes a second session, which ends by itself: repeating it harms nothing.
LOGIN = Operation("auth.login", "POST", "/api/auth/login", idempotent=True, needs_key=False, slow=True)
LOGOUT = Operation("auth.logout", "POST", "/api/auth/logout", idempotent=True)

RUNSPACES_LIST = Operation("runspaces.list", "GET", "/api/runspaces", idempotent=True)
RUNSPACES_GET = Operation("runspaces.get", "GET", "/api/runspaces/{id}", idempotent=True)
RUNSPACES_CREATE = Operation("runspaces.create", "POST", "/api/runspaces", idempotent=False)
RUNSPACES_DELETE = Operation("runspaces.delete", "DELETE", "/api/runspaces/{id}", idempotent=True)

_SCRIPTS = "/api/script-executions"
SCRIPT_EXECUTIONS_LIST = Operation("script_executions.list", "GET", _SCRIPTS, idempotent=True)
SCRIPT_EXECUTIONS_LIST_OWN = Operation(
    "script_executions.list", "GET", f"{_SCRIPTS}?skipSystemExecutions=true", idempotent=True
)
SCRIPT_EXECUTIONS_GET = Operation("script_executions.get", "GET", f"{_SCRIPTS}/{{id}}", idempotent=True)
SCRIPT_EXECUTIONS_CREATE = Operation("script_executions.create", "POST", _SCRIPTS, idempotent=False)
SCRIPT_EXECUTIONS_CANCEL = Operation(
    "script_executions.cancel", "POST", f"{_SCRIPTS}/{{id}}/cancel", idempotent=True
)
SCRIPT_EXECUTIONS_OUTPUT = Operation(
    "script_executions.output", "GET", f"{_SCRIPTS}/{{id}}/output", idempotent=True
)
SCRIPT_EXECUTIONS_STREAMS = {
    stream: Operation(
        "script_executions.streams", "GET", f"{_SCRIPTS}/{{id}}/streams/{stream}", idempotent=True
    )
    for stream in StreamType
}

_ARGUMENTS = "/api/argument-scripts"
ARGUMENT_SCRIPTS_TEMPLATES = Operation(
    "argument_scripts.templates", "GET", f"{_ARGUMENTS}/templates", idempotent=True
)
ARGUMENT_SCRIPTS_TEMPLATE = Operation(
    "argument_scripts.template", "GET", f"{_ARGUMENTS}/templates/{{id}}", idempotent=True
)
# It makes a text and keeps nothing.
ARGUMENT_SCRIPTS_SCRIPT = Operation(
    "argument_scripts.script", "POST", f"{_ARGUMENTS}/script", idempotent=True
)

WEB_CONSOLES_LIST = Operation("web_consoles.list", "GET", "/api/webconsoles", idempotent=True)
WEB_CONSOLES_GET = Operation("web_consoles.get", "GET", "/api/webconsoles/{id}", idempotent=True)
WEB_CONSOLES_CREATE = Operation("web_consoles.create", "POST", "/api/webconsoles", idempotent=False)
WEB_CONSOLES_CREATE_AND_WAIT = Operation(
    "web_consoles.create", "POST", "/api/webconsoles?wait=true", idempotent=False, slow=True
)
WEB_CONSOLES_DELETE = Operation("web_consoles.delete", "DELETE", "/api/webconsoles/{id}", idempotent=True)
