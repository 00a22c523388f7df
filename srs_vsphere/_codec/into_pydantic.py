"""Values out of a script into pydantic models, with what pydantic does not know of PowerShell done before.

That is: names in another letter case, null for an empty list, enums by name, durations as .NET writes them,
and decimal numbers with the digits that were written. All else, validators included, the model does itself.
It is loaded for such a model only, so that other programs do not load pydantic.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from srs_vsphere._codec.scalars import Misfit, matched, misfit, plain, scalar_hook
from srs_vsphere.errors import InvalidArgumentTypeError

_Hook: TypeAlias = Callable[[object], object]
_LISTS = (list, set, frozenset, tuple, Sequence)


def model_hook(cls: type, path: str) -> _Hook:
    """Return the function that makes a model of one value.

    Returns:
        A function that raises `Misfit`.

    Raises:
        TypeError: the model has a member of a type that cannot be found.
    """
    model = cast("type[BaseModel]", cls)
    try:
        model.model_rebuild()
    except NameError as error:
        raise InvalidArgumentTypeError(
            f"output_type: {path} has a member of a type that cannot be found: {error}"
        ) from None

    def make(value: object) -> object:
        data = _object(value)
        if data is None:
            raise misfit(value, "an object")
        try:
            return model.model_validate(_members(model, data))
        except ValidationError as error:
            problems = [(_place(each["loc"]), f"{each['msg']}: {each['input']!r}") for each in error.errors()]
        raise Misfit(problems, ())

    return make


def _members(model: type[BaseModel], data: Mapping[str, object]) -> dict[str, object]:
    fields = {_key(name, field): field for name, field in model.model_fields.items()}
    found = matched(data, list(fields))
    known = {key.casefold() for key in found}
    others = {name: plain(value) for name, value in data.items() if name.casefold() not in known}
    return {**others, **{key: _prepared(fields[key].annotation, value) for key, value in found.items()}}


def _object(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if type(value) is dict else None


def _key(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name


def _prepared(tp: object, value: object) -> object:
    while get_origin(tp) is Annotated:
        tp = get_args(tp)[0]
    origin, args = get_origin(tp), get_args(tp)
    if origin is Union or origin is types.UnionType:
        others = [arg for arg in args if arg is not type(None)]
        # Which of several it is, the model says.
        return _prepared(others[0], value) if len(others) == 1 and value is not None else plain(value)
    kind = tp if origin is None else origin
    if kind in _LISTS and (value is None or isinstance(value, list)):
        items = cast("list[object]", value or [])
        return [_prepared(args[0] if args else object, item) for item in items]
    data = _object(value)
    if data is not None and kind in {dict, Mapping} and args:
        return {name: _prepared(args[1], item) for name, item in data.items()}
    if data is not None and isinstance(kind, type) and issubclass(kind, BaseModel):
        return _members(kind, data)
    if isinstance(kind, type) and issubclass(kind, timedelta | Decimal | Enum):
        hook = scalar_hook(kind)
        if hook is not None:
            try:
                return hook(value)
            except Misfit:
                # The model may know more.
                return plain(value)
    return plain(value)


def _place(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
