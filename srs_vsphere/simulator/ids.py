"""Identifiers: random to look at, the same for the same seed."""

from __future__ import annotations

from random import Random
from uuid import UUID


class Ids:
    """A source of identifiers.

    Args:
        seed: two sources with the same seed give the same identifiers.
    """

    def __init__(self, seed: int) -> None:
        # What is wanted is repeatability; nothing here protects anything.
        self._random = Random(seed)  # noqa: S311 - not used for security

    def guid(self) -> str:
        """Return a new GUID in lower case."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        """Return random hexadecimal digits in lower case.

        Args:
            digits: how many.
        """
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"
