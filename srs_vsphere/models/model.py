"""What all models have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Model:
    """A frozen value that pydantic takes as the type of a member, a response or a task's argument."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Loaded when pydantic asks, and only then.
        from srs_vsphere._codec.pydantic_schema import schema_of

        return schema_of(cls, handler)


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Return texts as a member of a frozen model holds them.

    Args:
        given: the texts.
    """
    return tuple(given)
