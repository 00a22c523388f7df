"""Signatures with the real keywords, for what takes them by ``**`` and hands them on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import ForwardRef, TypeVar

F = TypeVar("F", bound=Callable[..., object])


def shows_keywords_of(source: type | Callable[..., object], without: str | None = None) -> Callable[[F], F]:
    """Return a decorator that makes ``help()``, notebooks and autospec see keywords in the place of ``**``.

    Type checkers and editors see them by themselves.

    Args:
        source: the function that the keywords are handed on to, or the TypedDict that types them, all of
            which may be left out.
        without: a keyword that is not shown; default None.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        named = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        more = [one for one in _keywords(source) if one.name != without]
        function.__signature__ = signature.replace(parameters=[*named, *more])  # type: ignore[attr-defined]  # any function may have it
        return function

    return decorate


def _keywords(source: type | Callable[..., object]) -> list[Parameter]:
    if not isinstance(source, type):
        parameters = inspect.signature(source).parameters.values()
        return [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    # The defaults are those of the functions that the keywords are handed on to.
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=..., annotation=_shown(kind))
        for name, kind in source.__annotations__.items()
    ]


def _shown(kind: object) -> object:
    return kind.__forward_arg__ if isinstance(kind, ForwardRef) else kind
