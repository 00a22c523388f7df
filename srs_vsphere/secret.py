"""A text that is kept and never shown."""

from __future__ import annotations

import hmac
from typing import Self


class NeverCopied:
    """What a copy has as it is, for more copies would be more places with a secret in them."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Secret(NeverCopied):
    """A text that no repr, log, traceback or pickle shows.

    Args:
        value: the text to keep.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself; call this only where it is used, never to keep it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # A lone surrogate would be refused otherwise, by an error that holds the whole text.
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled: create the credentials anew in the other process")

    def __getstate__(self) -> object:
        return self.__reduce__()
