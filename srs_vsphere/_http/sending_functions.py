"""Whether a mock or a tracer has replaced one of the functions that httpx sends with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import attrgetter, is_
from types import FunctionType, ModuleType

import httpx

_HTTPX = httpx.__name__
# httpx2 stands on httpcore2. Neither is imported here: a program that has not loaded it has not replaced it.
_HTTPCORE = _HTTPX.replace("httpx", "httpcore")


class SendingFunctions:
    """Functions of httpx and httpcore, compared with what they were when last seen untouched.

    Args:
        of_httpx: their names, as ``Class.function``; those that this version lacks are left out.
        of_httpcore: likewise.
    """

    __slots__ = ("_core", "_core_names", "_original", "_original_core", "_read", "_read_core")

    def __init__(self, of_httpx: Sequence[str], of_httpcore: Sequence[str]) -> None:
        self._read = _reader(httpx, of_httpx)
        self._original: tuple[object, ...] = self._read(httpx)
        if not all(map(_is_own, self._original)):
            # They were replaced before they were first seen here.
            self._original = (None,) * len(self._original)
        self._core: ModuleType | None = None
        self._core_names = of_httpcore
        self._read_core = self._read
        self._original_core: tuple[object, ...] = ()

    def are_original(self) -> bool:
        """Whether none of them is replaced at this moment."""
        # By identity: the wrappers that tracers use say that they equal what they wrap.
        functions = self._read(httpx)
        if not all(map(is_, functions, self._original)):
            if not all(map(_is_own, functions)):
                return False
            self._original = functions
        core = self._core or self._find_core()
        if core is None:
            return True
        functions = self._read_core(core)
        if not all(map(is_, functions, self._original_core)):
            if not all(map(_is_own, functions)):
                return False
            self._original_core = functions
        return True

    def _find_core(self) -> ModuleType | None:
        self._core = sys.modules.get(_HTTPCORE)
        if self._core is not None:
            self._read_core = _reader(self._core, self._core_names)
            self._original_core = (None,) * len(self._core_names)
        return self._core


def _reader(module: ModuleType, names: Sequence[str]) -> Callable[[ModuleType], tuple[object, ...]]:
    return attrgetter(*[name for name in names if _has(module, name)])


def _has(module: ModuleType, name: str) -> bool:
    try:
        attrgetter(name)(module)
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
