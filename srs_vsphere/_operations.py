"""The operations of the service, one row each: what is sent, and whether it may be sent twice."""

from __future__ import annotations

from urllib.parse import quote

from attrs import frozen


@frozen(eq=False)
class Operation:
    """One operation of the service.

    Args:
        name: what errors and logs call it.
        method: HTTP method.
        path: path below the host; ``{id}`` stands for the resource's id.
        idempotent: whether doing it twice ends as doing it once, so that it may be repeated when
            nobody knows whether the first try was carried out.
        needs_key: whether it takes the session's API key.
    """

    name: str
    method: str
    path: str
    idempotent: bool
    needs_key: bool = True

    def path_for(self, id: str) -> str:
        """Return the path of one resource.

        Args:
            id: the resource's id, sent percent-encoded.

        Raises:
            TypeError: the id is not text.
            ValueError: the id is blank, or a dot segment that would lead to another operation.
        """
        if not isinstance(id, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
            raise TypeError(f"id must be text, not {type(id).__name__}")
        if not id.strip() or id in {".", ".."}:
            raise ValueError(f"id must name a resource, not {id!r}")
        return self.path.replace("{id}", quote(id, safe=""))


ABOUT = Operation("about", "GET", "/api/about", idempotent=True, needs_key=False)
# A second login only makes a second session, which ends by itself: repeating it harms nothing.
LOGIN = Operation("auth.login", "POST", "/api/auth/login", idempotent=True, needs_key=False)
LOGOUT = Operation("auth.logout", "POST", "/api/auth/logout", idempotent=True)

RUNSPACES_LIST = Operation("runspaces.list", "GET", "/api/runspaces", idempotent=True)
RUNSPACES_GET = Operation("runspaces.get", "GET", "/api/runspaces/{id}", idempotent=True)
RUNSPACES_CREATE = Operation("runspaces.create", "POST", "/api/runspaces", idempotent=False)
RUNSPACES_DELETE = Operation("runspaces.delete", "DELETE", "/api/runspaces/{id}", idempotent=True)
