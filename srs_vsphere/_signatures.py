"""Signatures with the real keywords, for what takes those of a TypedDict by ``**``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ForwardRef, TypeVar

F = TypeVar("F", bound=Callable[..., object])


def shows_keywords_of(keywords: type) -> Callable[[F], F]:
    """Return a decorator that makes ``help()``, notebooks and autospec see keywords in the place of ``**``.

    Type checkers and editors see them by themselves.

    Args:
        keywords: the TypedDict that types the function's ``**``; all of it may be left out.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        named = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        # The defaults are those of the functions that the keywords are handed on to.
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=_shown(kind))
            for name, kind in keywords.__annotations__.items()
        ]
        function.__signature__ = signature.replace(parameters=[*named, *more])  # type: ignore[attr-defined]  # any function may have it
        return function

    return decorate


def _shown(kind: object) -> object:
    return kind.__forward_arg__ if isinstance(kind, ForwardRef) else kind
