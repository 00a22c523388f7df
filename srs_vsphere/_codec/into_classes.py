"""Values out of a script into objects of a program's own classes.

`maker` walks a class once, before anything is sent, and refuses there what nothing can be made of. What it
returns then makes one object of one value, and says of what does not fit where it stands, what it held and
what was asked for. Nothing is converted on a guess: a text becomes what a member asks for (a time, a UUID, a
number with the digits that were written), but no number becomes a text.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, Union, cast, get_args, get_origin

from srs_vsphere._codec.class_members import Member, bare, bound, is_typed_dict, members_of
from srs_vsphere._codec.scalars import Misfit, matched, misfit, missing, plain, scalar_hook
from srs_vsphere.errors import InvalidArgumentTypeError

if TYPE_CHECKING:
    import cattrs

#: Makes an object of a value; it raises `Misfit`.
Hook: TypeAlias = Callable[[object], object]

_K = TypeVar("_K")

_TAKES = (
    "take an attrs class, a dataclass, a TypedDict, a pydantic model, or list, dict and X | None of these and"
    " of bool, int, float, str, Decimal, datetime, date, timedelta, UUID, enums, IP addresses and paths"
)
_LISTS: dict[object, Callable[[list[object]], object]] = {
    list: list,
    Sequence: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
}
_MAPPINGS: tuple[object, ...] = (dict, Mapping)


def maker(cls: object, converter: cattrs.BaseConverter | None = None) -> Hook:
    """Return the function that makes an object of a program's class of one value.

    Args:
        cls: the class, or what else can stand for one in an annotation.
        converter: a converter of the program's own, which then does all of it.

    Returns:
        A function that raises `Misfit` for a value that does not fit.

    Raises:
        TypeError: nothing can be made of the class, or of one of its members, which the message names.
    """
    if converter is not None:
        return _converted_by(converter, cls)
    return _Compiler().hook(cls, getattr(cls, "__name__", "it"))


class _Compiler:
    def __init__(self) -> None:
        #: A class that holds itself is met again before its own function is made.
        self._begun: set[type] = set()
        self._hooks: dict[type, Hook] = {}

    def hook(self, tp: object, path: str) -> Hook:
        tp = bare(tp)
        origin, args = get_origin(tp), get_args(tp)
        kind: object = tp if origin is None else origin
        if kind is object or kind is Any:
            return plain
        if kind is Union or kind is types.UnionType:
            return self._union(args, path)
        if kind is Literal:
            return partial(_literal, args)
        if not isinstance(kind, type):
            shown = repr(kind) if isinstance(kind, str) else f"an instance of {type(kind).__name__}"
            raise InvalidArgumentTypeError(f"output_type: {path} is {shown}, not a class")
        if kind in _LISTS:
            return self._list(kind, args, path)
        if kind in _MAPPINGS:
            return self._mapping(args, path)
        found = scalar_hook(kind) or self._object(kind, args, path)
        if found is None:
            raise InvalidArgumentTypeError(
                f"output_type: nothing can be made for {path}, a {kind.__qualname__}: {_TAKES}"
            )
        return found

    def _union(self, args: tuple[object, ...], path: str) -> Hook:
        hooks = [self.hook(arg, path) for arg in args if arg is not type(None)]
        nullable = type(None) in args

        def make(value: object) -> object:
            if value is None and nullable:
                return None
            problems: list[Misfit] = []
            for hook in hooks:
                try:
                    return hook(value)
                except Misfit as error:
                    problems.append(error)
            if len(problems) == 1:
                raise problems[0]
            wanted = [text for problem in problems for text in problem.wanted]
            raise misfit(value, *dict.fromkeys(wanted)) if wanted else Misfit.of(problems)

        return make

    def _list(self, kind: object, args: tuple[object, ...], path: str) -> Hook:
        if kind is tuple and args and args[-1] is not Ellipsis:
            raise InvalidArgumentTypeError(
                f"output_type: {path} is a tuple of several types: take tuple[X, ...] or list[X]"
            )
        element = self.hook(args[0] if args else object, f"{path}[]")
        made = _LISTS[kind]

        def make(value: object) -> object:
            # A filter that found nothing gives null in PowerShell.
            if value is None:
                return made([])
            if type(value) is not list:
                raise misfit(value, "a list")
            items = cast("list[object]", value)
            return made([item for _, item in _each(element, enumerate(items))])

        return make

    def _mapping(self, args: tuple[object, ...], path: str) -> Hook:
        key_type, value_type = (bare(args[0]), args[1]) if args else (str, object)
        key = _int_key if key_type is int else self.hook(key_type, f"the keys of {path}")
        element = self.hook(value_type, f"{path}[]")

        def make(value: object) -> object:
            # The keys of a JSON object are texts, whatever they were.
            return {key(name): item for name, item in _each(element, _object(value).items())}

        return make

    def _object(self, cls: type, args: tuple[object, ...], path: str) -> Hook | None:
        if not args and cls in self._begun:
            return lambda value: self._hooks[cls](value)
        self._begun.add(cls)
        # Whoever has a model of pydantic has loaded it.
        pydantic = sys.modules.get("pydantic")
        if pydantic is not None and issubclass(cls, cast("type", pydantic.BaseModel)):
            from srs_vsphere._codec.into_pydantic import model_hook

            hook = model_hook(cls, path)
        else:
            members = members_of(cls, path)
            if members is None:
                return None
            parameters = cast("tuple[object, ...]", getattr(cls, "__parameters__", ()))
            given = dict(zip(parameters, args, strict=False))
            hooks = [self.hook(bound(member.kind, given), f"{path}.{member.name}") for member in members]
            hook = _typed_dict(members, hooks) if is_typed_dict(cls) else _instance(cls, members, hooks)
        self._hooks[cls] = hook
        return hook


def _instance(cls: type, members: Sequence[Member], hooks: Sequence[Hook]) -> Hook:
    def make(value: object) -> object:
        arguments = _made(_object(value), members, hooks)
        try:
            return cast("object", cls(**arguments))
        except (TypeError, ValueError) as error:
            # The class's own validators.
            said = str(error) or type(error).__name__
        raise misfit(value, cls.__name__, said=said)

    return make


def _typed_dict(members: Sequence[Member], hooks: Sequence[Hook]) -> Hook:
    known = {member.key.casefold() for member in members}

    def make(value: object) -> object:
        data = _object(value)
        others = {name: plain(item) for name, item in data.items() if name.casefold() not in known}
        return {**_made(data, members, hooks), **others}

    return make


def _made(data: dict[str, object], members: Sequence[Member], hooks: Sequence[Hook]) -> dict[str, object]:
    found = matched(data, [member.key for member in members])
    made: dict[str, object] = {}
    problems: list[Misfit] = []
    for member, hook in zip(members, hooks, strict=True):
        try:
            if member.key in found:
                made[member.key] = hook(found[member.key])
            elif member.required:
                problems.append(missing(member.key, data))
        except Misfit as error:
            problems.append(error.within(f".{member.name}"))
    if problems:
        raise Misfit.of(problems)
    return made


def _each(hook: Hook, items: Iterable[tuple[_K, object]]) -> list[tuple[_K, object]]:
    made: list[tuple[_K, object]] = []
    problems: list[Misfit] = []
    for key, item in items:
        try:
            made.append((key, hook(item)))
        except Misfit as error:
            problems.append(error.within(f"[{key!r}]"))
    if problems:
        raise Misfit.of(problems)
    return made


def _object(value: object) -> dict[str, object]:
    if type(value) is not dict:
        raise misfit(value, "an object")
    return cast("dict[str, object]", value)


def _literal(choices: tuple[object, ...], value: object) -> object:
    value = plain(value)
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    raise misfit(value, f"one of {', '.join(map(repr, choices))}")


def _int_key(name: object) -> object:
    try:
        return int(cast("str", name))
    except ValueError:
        raise misfit(name, "a whole number as a key") from None


def _converted_by(converter: object, cls: object) -> Hook:
    import cattrs

    if not isinstance(converter, cattrs.BaseConverter):
        raise InvalidArgumentTypeError(
            f"converter must be a converter of cattrs, not {type(converter).__name__}"
        )
    kind = cast("type[object]", cls)
    try:
        hook = converter.get_structure_hook(kind)
    except (cattrs.StructureHandlerNotFoundError, NameError, TypeError) as error:
        raise InvalidArgumentTypeError(
            f"output_type: the converter makes nothing of {cls!r}: {error}"
        ) from None

    def make(value: object) -> object:
        try:
            return cast("object", hook(plain(value), kind))
        except cattrs.BaseValidationError as error:
            texts = cattrs.transform_error(error, "")
        except (TypeError, ValueError, KeyError, cattrs.StructureHandlerNotFoundError) as error:
            texts = [f"{type(error).__name__}: {error}"]
        raise Misfit([("", text) for text in texts], ())

    return make
