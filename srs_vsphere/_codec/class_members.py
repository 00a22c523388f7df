"""What the annotations of a program's class say: its members, their types, and which must be there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import (
    Annotated,
    Any,
    NewType,
    NotRequired,
    Required,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from srs_vsphere.errors import InvalidArgumentTypeError


@attrs.frozen
class Member:
    """A member of a class.

    Args:
        key: its name in the data and in the class's call.
        name: its name in the class.
        kind: its type.
        required: whether it must be there.
    """

    key: str
    name: str
    kind: object
    required: bool


def members_of(cls: type, path: str) -> Sequence[Member] | None:
    """Return what a class is made of, None if it is no attrs class, dataclass or TypedDict.

    Raises:
        TypeError: the type of a member cannot be found.
    """
    if is_typed_dict(cls):
        hints = _hints(cls, path)
        return [Member(name, name, hint, _is_required(cls, name, hint)) for name, hint in hints.items()]
    if attrs.has(cls):
        hints = _hints(cls, path)
        return [
            # What has a converter of its own takes the value as it is.
            Member(
                field.alias or field.name,
                field.name,
                hints.get(field.name, object) if field.converter is None else object,
                field.default is attrs.NOTHING,
            )
            for field in attrs.fields(cls)
            if field.init
        ]
    if dataclasses.is_dataclass(cls):
        hints = _hints(cls, path)
        return [
            Member(
                field.name,
                field.name,
                hints.get(field.name, object),
                field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            )
            for field in dataclasses.fields(cls)
            if field.init
        ]
    return None


def is_typed_dict(cls: type) -> bool:
    """Say whether a class is a TypedDict, be it one of ``typing_extensions``."""
    return dict in cls.__mro__ and hasattr(cls, "__required_keys__")


def bare(tp: object) -> object:
    """Take off what an annotation adds to a type."""
    while True:
        if get_origin(tp) in {Annotated, Required, NotRequired}:
            tp = get_args(tp)[0]
        elif isinstance(tp, NewType):
            tp = cast("object", tp.__supertype__)
        elif isinstance(tp, TypeVar):
            tp = cast("object", tp.__bound__) or object
        elif type(tp).__name__ == "TypeAliasType":
            # A kind of type that Python 3.11 lacks.
            tp = cast("Any", tp).__value__
        else:
            return type(None) if tp is None else tp


def bound(tp: object, parameters: Mapping[object, object]) -> object:
    """Put types in the place of a generic class's parameters.

    Args:
        tp: the type of a member.
        parameters: the types by parameter.
    """
    if isinstance(tp, TypeVar):
        return parameters.get(tp, tp)
    open_ones = cast("tuple[object, ...]", getattr(tp, "__parameters__", ()))
    if parameters and open_ones and get_origin(tp) is not None:
        return cast("object", cast("Any", tp)[tuple(parameters.get(one, object) for one in open_ones)])
    return tp


def _is_required(cls: type, name: str, hint: object) -> bool:
    # With annotations kept as texts the class itself does not know which of them are NotRequired.
    if get_origin(hint) in {Required, NotRequired}:
        return get_origin(hint) is Required
    return name in cast("frozenset[str]", cast("Any", cls).__required_keys__)


def _hints(cls: type, path: str) -> dict[str, object]:
    try:
        return get_type_hints(cls, include_extras=True)
    except NameError as error:
        problem = str(error)
    for name, hint in cast("dict[str, object]", getattr(cls, "__annotations__", {})).items():
        if isinstance(hint, str) and problem.split("'")[1:2] and problem.split("'")[1] in hint:
            path = f"{path}.{name}"
            break
    raise InvalidArgumentTypeError(f"output_type: the type of {path} cannot be found: {problem}")
