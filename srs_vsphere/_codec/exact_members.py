"""Models of JSON objects whose members are exactly as they should be: nearly all that the service sends.

cattrs calls a function for each member, which costs twice as much as looking at its type in place. So the
function that is written here makes models of objects without a flaw, and leaves all others to cattrs, which
knows every rule and says what is wrong. Until all its members are set, a model is of a subclass that is not
frozen: so they are set by plain statements, three times as fast as ``__init__`` of a frozen class sets them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import cast, get_args

import attrs

_TEXT = """
    if type({member}) is not str or not {member} or {member}.isspace(): return otherwise(value)
"""
_TYPE_OR_NOTHING = """
    if type({member}) is not {type} and {member} is not None: return otherwise(value)
"""
_ENUM = """
    if type({member}) is str: {member} = {member}_words({member}, {member})
    elif {member} is not None: return otherwise(value)
"""
_TIME = """
    if type({member}) is str and "T" in {member}:
        try: {member} = time_of({member})
        except ValueError: {member} = no_time
        if {member}.tzinfo is None: return otherwise(value)
    elif {member} is not None: return otherwise(value)
"""
_NOTHING = """
    if {member} is not None: return otherwise(value)
"""


def exact_structurer(cls: type, otherwise: Callable[[object], object]) -> Callable[[object], object] | None:
    """Return a function that makes models of a class, None for a class with members of other kinds.

    Args:
        cls: the class, whose members are named as in JSON.
        otherwise: makes models of objects with any flaw, or with a model within.
    """
    known: dict[str, object] = {
        "cls": cls,
        "unfrozen": _unfrozen(cls),
        "new": object.__new__,
        "otherwise": otherwise,
        "time_of": datetime.fromisoformat,
        "no_time": datetime.min,  # noqa: DTZ901 - that it has no time zone is what makes it none
    }
    attrs.resolve_types(cls)
    members = cast("tuple[attrs.Attribute[object], ...]", attrs.fields(cls))
    if not all(map(_is_exact, members)):
        return None
    lines = ["def structure(value):", "    if type(value) is not dict: return otherwise(value)"]
    lines.append("    get = value.get")
    for member in members:
        lines.append(f"    {member.name} = get({member.name!r})")
        lines.append(_check(member, known).format(member=member.name))
    lines.append("    model = new(unfrozen)")
    lines += [f"    model.{member.name} = {member.name}" for member in members]
    lines += ["    model.__class__ = cls", "    return model"]
    exec("\n".join(lines), known)  # noqa: S102 - the text is made of names in the models' own source
    return cast("Callable[[object], object]", known["structure"])


def _unfrozen(cls: type) -> type:
    """Return a subclass whose instances can be changed, and be made instances of the class afterwards."""
    allow = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), {"__slots__": (), **allow})


def _is_exact(member: attrs.Attribute[object]) -> bool:
    # A message may be blank, which no id is.
    optional = member.default is None or (member.type is str and member.name != "message")
    converter = cast("object", member.converter)  # pyright: ignore[reportUnknownMemberType] - attrs leaves its types open
    return optional and converter is None and member.validator is None


def _check(member: attrs.Attribute[object], known: dict[str, object]) -> str:
    if member.type is str:
        return _TEXT
    parts = get_args(member.type) or (member.type,)
    enums = [part for part in parts if isinstance(part, type) and issubclass(part, Enum)]
    if enums:
        known[f"{member.name}_words"] = {word.value: word for enum in enums for word in enum}.get
        return _ENUM
    if datetime in parts:
        return _TIME
    kind = next((part for part in (str, int, bool) if part in parts), None)
    return _NOTHING if kind is None else _TYPE_OR_NOTHING.format(type=kind.__name__, member="{member}")
