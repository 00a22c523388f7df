"""Models as plain data, and back; what does it is loaded on use, as most programs never ask for it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


def to_dict(model: object) -> dict[str, object]:
    """Return a model, or a result, as plain data: dicts, lists, texts, numbers, booleans and None.

    Times become ISO 8601, enums their values. ``pandas.DataFrame(map(to_dict, runspaces))`` has a column for
    each member.

    Args:
        model: an object of one of this package's classes.

    Returns:
        Its members by name.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    if not hasattr(model, "__attrs_attrs__"):
        raise InvalidArgumentTypeError(f"model must be a model of this package, not {type(model).__name__}")
    return cast("dict[str, object]", _converter().unstructure(model))


def from_dict(cls: type[T], data: dict[str, object]) -> T:
    """Make a model of what `to_dict` returned.

    Args:
        cls: the model's class.
        data: its members by name; what it does not know is passed over.

    Raises:
        InvalidArgumentTypeError: the class is no model.
        InvalidArgumentValueError: the data does not fit.
    """
    from srs_vsphere._codec.models import WireError, structurer

    if not hasattr(cls, "__attrs_attrs__"):
        raise InvalidArgumentTypeError(f"cls must be a model of this package, not {cls!r}")
    try:
        return structurer(cls)(data)
    except WireError as error:
        problem = f"data is no {cls.__name__}: {error}"
    raise InvalidArgumentValueError(problem)


def converter() -> cattrs.Converter:
    """Return a converter like that behind `to_dict` and `from_dict`, for hooks of one's own."""
    from srs_vsphere._codec.models import make_wire_converter

    converter = make_wire_converter()
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    # Of its two bases, text would win.
    converter.register_unstructure_hook(StrEnum, _value_of)
    converter.register_unstructure_hook(Enum, _value_of)
    # What a union or `object` holds is shown by what it is.
    converter.register_unstructure_hook_func(
        lambda cls: not isinstance(cls, type) or cls is object, converter.unstructure
    )
    return converter


@cache
def _converter() -> cattrs.Converter:
    return converter()


def _value_of(member: Enum) -> object:
    value: object = member.value
    return value
