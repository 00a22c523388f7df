"""Whether a mock or a tracer has replaced one of the functions that httpx sends with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from types import FunctionType, SimpleNamespace

import httpx

_HTTPX = httpx.__name__
# httpx2 stands on httpcore2. Neither is imported here: a program that has not loaded it has not replaced it.
_HTTPCORE = _HTTPX.replace("httpx", "httpcore")

_Read = Callable[[SimpleNamespace], tuple[object, ...]]


class SendingFunctions:
    """Functions of httpx and httpcore, compared with what they were when last seen untouched.

    Args:
        of_httpx: their names, as ``Class.function``; those that this version lacks are left out.
        of_httpcore: likewise.

    Attributes:
        libraries: where they are read from.
        seen: what reads them, and what it read when none was replaced; each is to be compared by identity,
            for the wrappers that tracers use say that they equal what they wrap.
        missing: name of the module that was not loaded then; empty if none.
    """

    __slots__ = ("_of_httpcore", "_of_httpx", "libraries", "missing", "seen")

    def __init__(self, of_httpx: Sequence[str], of_httpcore: Sequence[str]) -> None:
        self.libraries: SimpleNamespace = SimpleNamespace(httpx=httpx, httpcore=None)
        self.missing: str = _HTTPCORE
        self._of_httpx = self._there(f"httpx.{name}" for name in of_httpx)
        self._of_httpcore = [f"httpcore.{name}" for name in of_httpcore]
        # Functions that were replaced before they were first seen here are never original.
        self.seen: tuple[_Read, tuple[object, ...]] = (attrgetter(*self._of_httpx), (None,))
        self.are_original()

    def are_original(self) -> bool:
        """Whether none of them is replaced at this moment."""
        read, _ = self.seen
        if self.missing in sys.modules:
            self.libraries.httpcore = sys.modules[self.missing]
            read = attrgetter(*self._of_httpx, *self._there(self._of_httpcore))
        functions = read(self.libraries)
        if not all(map(_is_own, functions)):
            return False
        self.seen = (read, functions)
        if self.libraries.httpcore is not None:
            self.missing = ""
        return True

    def _there(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if _has(self.libraries, name)]


def _has(libraries: SimpleNamespace, name: str) -> bool:
    try:
        attrgetter(name)(libraries)
    except AttributeError:
        return False
    return True


def _is_own(function: object) -> bool:
    """Whether a function was written in the library: its globals tell, which no wrapper copies."""
    if type(function) is not FunctionType:
        return False
    home = str(function.__globals__.get("__name__"))
    return home.partition(".")[0] in {_HTTPX, _HTTPCORE}


ASYNC = SendingFunctions(
    (
        "AsyncClient.send",
        "AsyncClient._send_handling_auth",
        "AsyncClient._send_handling_redirects",
        "AsyncClient._send_single_request",
        "AsyncClient._transport_for_url",
        "AsyncHTTPTransport.handle_async_request",
    ),
    ("AsyncConnectionPool.handle_async_request", "AsyncHTTPConnection.handle_async_request"),
)
SYNC = SendingFunctions(
    (
        "Client.send",
        "Client._send_handling_auth",
        "Client._send_handling_redirects",
        "Client._send_single_request",
        "Client._transport_for_url",
        "HTTPTransport.handle_request",
    ),
    ("ConnectionPool.handle_request", "HTTPConnection.handle_request"),
)
