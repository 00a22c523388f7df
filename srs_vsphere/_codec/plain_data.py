"""Models as plain data, and back."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from srs_vsphere._codec.models import WireError, make_wire_converter, structurer
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


@cache
def _plain_converter() -> cattrs.Converter:
    return make_plain_converter()


def make_plain_converter() -> cattrs.Converter:
    """Make a converter that reads members of models by the service's own rules, and writes them plainly."""
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


def _value_of(member: Enum) -> object:
    value: object = member.value
    return value


def plain_data(model: object) -> dict[str, object]:
    """Return a model as plain data.

    Args:
        model: an object of an attrs class.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    if not hasattr(model, "__attrs_attrs__"):
        raise InvalidArgumentTypeError(f"model must be a model of this package, not {type(model).__name__}")
    return cast("dict[str, object]", _plain_converter().unstructure(model))


def model_of(cls: type[T], data: dict[str, object]) -> T:
    """Make a model of plain data.

    Args:
        cls: the model's class.
        data: its members by name.

    Raises:
        InvalidArgumentValueError: the data does not fit.
    """
    try:
        return structurer(cls)(data)
    except WireError as error:
        problem = f"data is no {cls.__name__}: {error}"
    raise InvalidArgumentValueError(problem)
