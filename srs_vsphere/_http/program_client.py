"""A program's own HTTP client: httpx's, or one of another library with httpx's methods, such as httpx2."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

import httpx

from srs_vsphere.auth import ApiKeyAuth
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError


def check_client(http_client: object, like: type, transport: object, tls: object, auth: object) -> None:
    """Judge a program's HTTP client by what it can do, not by its class.

    Args:
        http_client: the client.
        like: the class of httpx that it has to be like.
        transport: what is given beside it, like all that follows.
        tls: see there.
        auth: see there.

    Raises:
        InvalidArgumentTypeError: it is of the wrong kind, or excludes what is given beside it.
        InvalidArgumentValueError: it is closed, or has credentials of its own in the place of the login's.
    """
    is_async = like is httpx.AsyncClient
    wanted = f"httpx.{like.__name__}"
    kind = type(http_client).__name__
    send = getattr(http_client, "send", None)
    if isinstance(http_client, type) or not callable(send) or not hasattr(http_client, "build_request"):
        raise InvalidArgumentTypeError(f"http_client must be an {wanted} or have its methods, not {kind}")
    if (inspect.iscoroutinefunction(send) or hasattr(http_client, "aclose")) != is_async:
        raise InvalidArgumentTypeError(
            f"http_client must be an {wanted}, not {kind}: "
            f"{'SrsClient' if is_async else 'AsyncSrsClient'} takes that"
        )
    for name, value in (("transport", transport), ("tls", tls)):
        if value is not None:
            raise InvalidArgumentTypeError(
                f"http_client and {name} exclude each other: set {name} in the http_client"
            )
    if getattr(http_client, "is_closed", False):
        raise InvalidArgumentValueError("http_client is closed: give one that is open, and keep it open")
    own_auth: object = getattr(http_client, "auth", None)
    if auth is not None and not isinstance(auth, ApiKeyAuth) and type(own_auth).__name__ == "BasicAuth":
        raise InvalidArgumentValueError(
            "http_client has auth of its own, whose Authorization header would take the place of the "
            "login's: use auth=ApiKeyAuth(key)"
        )


def library_of(http_client: object) -> ModuleType:
    """Return the library whose requests a client takes and whose exceptions it raises."""
    for cls in type(http_client).__mro__:
        library = sys.modules.get(cls.__module__.partition(".")[0])
        if hasattr(library, "HTTPError") and hasattr(library, "Request"):
            return cast("ModuleType", library)
    return httpx


class ForeignErrors:
    """Another library's exceptions, each made into httpx's of the same name.

    Args:
        library: whose exceptions.
    """

    def __init__(self, library: ModuleType) -> None:
        self._base: type[Exception] = library.HTTPError

    @contextmanager
    def translated(self) -> Generator[None]:
        """Return a context that raises httpx's exceptions in their place."""
        try:
            yield
        except self._base as error:
            translated = _like(error)
        else:
            return
        # Outside of the handler: the other's traceback holds the request.
        raise translated


def built_by(client: httpx.AsyncClient | httpx.Client, request: httpx.Request) -> httpx.Request:
    """Return a request as a client of another library with httpx's methods makes it."""
    return client.build_request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=request.content or None,
        extensions={"timeout": request.extensions["timeout"]},
    )


def _like(error: Exception) -> httpx.HTTPError:
    for cls in type(error).__mro__:
        found = getattr(httpx, cls.__name__, None)
        if isinstance(found, type) and issubclass(found, httpx.TransportError):
            return found(str(error))
    return httpx.TransportError(str(error))
