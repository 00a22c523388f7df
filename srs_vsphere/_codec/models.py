"""The one cattrs converter: every rule by which JSON becomes models.

- Members that the service leaves out (it omits what is null) keep the model's default.
- Members that a model does not know are ignored.
- Enums are open: a word or number that the enum lacks stays as it came.
- Times always have a time zone: one without an offset is UTC, the service's containers' zone.
- A member of another type than the model says is an error, never converted on a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin

import attrs

from srs_vsphere._codec.exact_members import exact_structurer

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


_from_iso = datetime.fromisoformat


class WireError(ValueError):
    """A value does not fit the model."""


def structurer(cls: type[T]) -> Callable[[object], T]:
    """Return the function that turns one parsed JSON value into a model.

    Returns:
        A function to be fetched once and called for each value; it raises `WireError`.
    """
    return cast("Callable[[object], T]", _structurer(cast("Hashable", cls)))


@cache
def _structurer(cls: Hashable) -> Callable[[object], object]:
    model = cast("type", cls)
    # A service without flaws never needs cattrs, which takes as long to import as half of this package.
    return exact_structurer(model, lambda value: _careful_structurer(model)(value)) or _careful_structurer(
        model
    )


@cache
def _careful_structurer(cls: type) -> Callable[[object], object]:
    # Loaded on use: importing it, and the code it writes for each model, would double this package's import.
    import cattrs

    hook = _members(cls, wire_converter())

    def structure(value: object) -> object:
        if type(value) is not dict:
            raise WireError(f"an object expected, not {type(value).__name__}")
        try:
            return hook(cast("dict[str, object]", value), cls)
        except cattrs.BaseValidationError as error:
            problem = "; ".join(cattrs.transform_error(error))
        raise WireError(problem)

    return structure


class RequestBody(bytes):
    """A request's body, whose repr does not show it: it may hold secrets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<request body of {len(self)} bytes>"


def dumps(value: object) -> RequestBody:
    """Write a request body.

    Args:
        value: what JSON can hold: dicts, lists, texts, finite numbers, booleans, None.

    Raises:
        TypeError: it holds something else.
        ValueError: it holds a number that is not finite.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return RequestBody(text.encode("ascii"))


def _exactly(kind: type, said: str) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        if type(value) is kind or value is None:
            return value
        raise TypeError(f"{said} expected, not {type(value).__name__}")

    return structure


_text = _exactly(str, "text")


def _time(value: object, _: object) -> datetime | None:
    # Without the T it is a day, a week or some other form that the service never sends.
    if type(value) is str and "T" in value:
        time = _from_iso(value)
        return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    if value is None:
        return None
    raise TypeError("a time expected")


def _enums(cls: object) -> list[type[Enum]]:
    return [part for part in get_args(cls) if isinstance(part, type) and issubclass(part, Enum)]


def _open_enum(cls: object) -> Callable[[object, object], object]:
    members: dict[object, Enum] = {member.value: member for enum in _enums(cls) for member in enum}

    def structure(value: object, _: object) -> object:
        if type(value) is str or type(value) is int or value is None:
            return members.get(value, value)
        raise TypeError(f"a word or a number expected, not {type(value).__name__}")

    return structure


def _required_text(value: object, _: object) -> object:
    if type(value) is str and value and not value.isspace():
        return value
    raise TypeError("a text that is not blank expected")


def _any_text(value: object, _: object) -> object:
    return "" if value is None else _text(value, _)


def _is_anything(cls: object) -> bool:
    return cls is object


def _as_it_is(value: object, _: object) -> object:
    return value


def _is_list(cls: object) -> bool:
    return get_origin(cls) in {list, tuple}


def _list(cls: type, converter: cattrs.Converter) -> Callable[[object, object], object]:
    item = get_args(cls)[0]
    frozen = get_origin(cls) is tuple
    hook = converter.get_structure_hook(item)

    def structure(value: object, _: object) -> object:
        if type(value) is not list:
            raise TypeError(f"a list expected, not {type(value).__name__}")
        made = [hook(element, item) for element in cast("list[object]", value)]
        return tuple(made) if frozen else made

    return structure


def _members(cls: type, converter: cattrs.Converter) -> Callable[[dict[str, object], object], object]:
    from cattrs.gen import make_dict_structure_fn, override

    make = cast("Callable[..., Callable[[dict[str, object], object], object]]", make_dict_structure_fn)
    # A plain `str` is an id and never blank; a message may be.
    fields = cast("tuple[attrs.Attribute[object], ...]", attrs.fields(cls))
    special = {field.name: override(struct_hook=_any_text) for field in fields if field.name == "message"}
    return make(cls, converter, **special)


def _model(cls: type, converter: cattrs.Converter) -> Callable[[object, object], object]:
    hook = _members(cls, converter)

    def structure(value: object, _: object) -> object:
        # What cattrs writes asks whether a member is in the value, which works on lists and texts too.
        if type(value) is not dict:
            raise TypeError(f"an object expected, not {type(value).__name__}")
        return hook(cast("dict[str, object]", value), cls)

    return structure


@cache
def wire_converter() -> cattrs.Converter:
    """Return the converter with all rules; it is shared, and never changed."""
    return make_wire_converter()


def make_wire_converter() -> cattrs.Converter:
    """Make a converter with all rules."""
    import cattrs

    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(str, _required_text)
    converter.register_structure_hook(str | None, _text)
    converter.register_structure_hook(int | None, _exactly(int, "a whole number"))
    converter.register_structure_hook(bool | None, _exactly(bool, "true or false"))
    converter.register_structure_hook(datetime | None, _time)
    converter.register_structure_hook_factory(lambda cls: bool(_enums(cls)), _open_enum)
    converter.register_structure_hook_factory(_is_list, _list)
    converter.register_structure_hook_factory(attrs.has, _model)
    converter.register_structure_hook_func(_is_anything, _as_it_is)
    return converter
