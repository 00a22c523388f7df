"""What all models have in common: they are plain data to whoever stores, sends or shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import cattrs
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")


class Model:
    """A frozen value that pydantic takes as the type of a member, a response or a task's argument."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Loaded when pydantic asks: nobody else needs it.
        from srs_vsphere._codec.pydantic_schema import schema_of

        return schema_of(cls, handler)


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Return texts as a member of a frozen model holds them.

    Args:
        given: the texts.
    """
    return tuple(given)


def to_dict(model: object) -> dict[str, object]:
    """Return a model, or a result, as plain data: dicts, lists, texts, numbers, booleans and None.

    Times become ISO 8601, enums their values. ``pandas.DataFrame(map(to_dict, runspaces))`` has a column for
    each member.

    Args:
        model: an object of one of this package's classes.

    Returns:
        Its members by name.
    """
    from srs_vsphere._codec.plain_data import plain_data

    return plain_data(model)


def from_dict(cls: type[T], data: dict[str, object]) -> T:
    """Make a model of what `to_dict` returned.

    Args:
        cls: the model's class.
        data: its members by name; what it does not know is passed over.

    Raises:
        InvalidArgumentValueError: the data does not fit.
    """
    from srs_vsphere._codec.plain_data import model_of

    return model_of(cls, data)


def converter() -> cattrs.Converter:
    """Return a converter like that behind `to_dict` and `from_dict`, for hooks of one's own."""
    from srs_vsphere._codec.plain_data import make_plain_converter

    return make_plain_converter()
