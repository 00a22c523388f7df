"""Whether a mock or a tracer has replaced one of the functions that httpx sends with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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

    __slots__ = ("_core_names", "_of_core", "_of_httpx")

    def __init__(self, of_httpx: Sequence[str], of_httpcore: Sequence[str]) -> None:
        self._of_httpx = _Functions(httpx, of_httpx)
        self._core_names = of_httpcore
        self._of_core: _Functions | None = None

    def are_original(self) -> bool:
        """Whether none of them is replaced at this moment."""
        if not self._of_httpx.are_original():
            return False
        if self._of_core is None:
            core = sys.modules.get(_HTTPCORE)
            if core is None:
                return True
            self._of_core = _Functions(core, self._core_names)
        return self._of_core.are_original()


class _Functions:
    __slots__ = ("_module", "_original", "_read")

    def __init__(self, module: ModuleType, names: Sequence[str]) -> None:
        there = [name for name in names if _has(module, name)]
        self._module = module
        self._read = attrgetter(*there)
        self._original: tuple[object, ...] = ()

    def are_original(self) -> bool:
        functions = self._read(self._module)
        # By identity: the wrappers that tracers use say that they equal what they wrap.
        if len(self._original) == len(functions) and all(map(is_, functions, self._original)):
            return True
        # They may have been replaced before they were first seen here.
        if not all(map(_is_own, functions)):
            return False
        self._original = functions
        return True


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
