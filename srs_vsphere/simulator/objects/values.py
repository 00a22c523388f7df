"""The values of scripts as Python values, and what .NET calls their types.

Most are Python's own: `None`, `bool`, `int`, `float`, `str`, `datetime`, `list`, `dict`. Where .NET has more
types than Python, a subclass keeps the difference, so whoever does not care about it need not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Self, TypeGuard
from uuid import UUID

from attrs import field, frozen

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError

#: A text of more characters, or an array of more elements, is not made: a few lines could fill the memory.
LARGEST = 100_000


class Int64(int):
    """A whole number of 64 bits even if it is small."""


class OtherInteger(int):
    """A whole number of a type that scripts here do not make, as the elements of bytes are.

    Args:
        value: the number.
        type: the full name of its type.
    """

    type: str

    def __new__(cls, value: int | str, type: str = "System.Byte") -> Self:
        """Make the number."""
        made = super().__new__(cls, value)
        made.type = type
        return made


class Char(str):
    """A single character."""

    __slots__ = ()


class Version(str):
    """A version number."""

    __slots__ = ()


class ArrayList(list[object]):
    """A list that can grow, as deserialised lists are."""


class PsObject(dict[str, object]):
    """An object with properties (a PSCustomObject); other plain mappings count as such too."""


class Hashtable(dict[object, object]):
    """A hashtable; with several keys, their order is random in each PowerShell process."""


class OrderedDictionary(dict[object, object]):
    """A hashtable that keeps its order."""


@frozen
class EnumValue:
    """A member of an enumeration.

    Args:
        type: the full name of the enumeration.
        name: the member's name.
        number: its number.
    """

    type: str
    name: str
    number: int


@frozen
class TypeName:
    """A type as a value.

    Args:
        full: its full name.
    """

    full: str


@frozen
class SwitchParameter:
    """What a ``[switch]`` parameter holds.

    Args:
        present: whether it is set.
    """

    present: bool


@frozen
class SecureString:
    """A secret; nothing shows its text.

    Args:
        secret: the text.
    """

    secret: str = field(repr=False)


@frozen
class PSCredential:
    """A user name with a password.

    Args:
        user_name: the name.
        password: the password.
    """

    user_name: str
    password: SecureString


class Nothing:
    """What a pipeline without output gives: null in an expression, no object at all in a pipeline."""

    def __bool__(self) -> bool:
        return False


NOTHING: Final = Nothing()

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "System.Boolean"),
    (Int64, "System.Int64"),
    (float, "System.Double"),
    (Decimal, "System.Decimal"),
    (Char, "System.Char"),
    (Version, "System.Version"),
    (str, "System.String"),
    (datetime, "System.DateTime"),
    (timedelta, "System.TimeSpan"),
    (UUID, "System.Guid"),
    (bytes, "System.Byte[]"),
    (ArrayList, "System.Collections.ArrayList"),
    (list, "System.Object[]"),
    (tuple, "System.Object[]"),
    (Hashtable, "System.Collections.Hashtable"),
    (OrderedDictionary, "System.Collections.Specialized.OrderedDictionary"),
    (Mapping, "System.Management.Automation.PSCustomObject"),
    (TypeName, "System.RuntimeType"),
    (SwitchParameter, "System.Management.Automation.SwitchParameter"),
    (SecureString, "System.Security.SecureString"),
    (PSCredential, "System.Management.Automation.PSCredential"),
)


def fits(value: int, bits: int) -> bool:
    """Say whether a whole number fits into so many bits."""
    # Not a range: to look for a subclass of int in one takes as long as it is.
    return -(1 << bits - 1) <= value < 1 << bits - 1


def type_name(value: object) -> str:
    """Return the full .NET name of a value's type; the value is not None."""
    if isinstance(value, EnumValue | OtherInteger):
        return value.type
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    if isinstance(value, int):
        if fits(value, 32):
            return "System.Int32"
        return "System.Int64" if fits(value, 64) else "System.Numerics.BigInteger"
    return "System.Object"


def is_object(value: object) -> bool:
    """Say whether a value is an object with properties of its own choosing."""
    return is_mapping(value) and not isinstance(value, Hashtable | OrderedDictionary)


def is_array(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether a value is an array."""
    return isinstance(value, list | tuple)


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Say whether a value is an object with properties or a hashtable."""
    return isinstance(value, Mapping)


def check_size(length: int) -> None:
    """Refuse a text or an array that is too large to work with.

    Args:
        length: how many characters or elements it has.

    Raises:
        NotUnderstoodError: too many.
    """
    if length > LARGEST:
        raise NotUnderstoodError(f"something of more than {LARGEST} parts")


def truth(value: object) -> bool:
    """Say whether PowerShell takes a value for true."""
    if is_array(value) or isinstance(value, bytes):
        first = value[0] if len(value) == 1 else None
        return len(value) > 1 or (len(first) > 0 if is_array(first) else truth(first))
    if isinstance(value, SwitchParameter):
        return value.present
    return not isinstance(value, bool | int | float | str | Decimal | Nothing | None) or bool(value)


def elements(value: object) -> list[object]:
    """Return the objects that a value is in a pipeline: an array's elements, or the value itself."""
    if isinstance(value, Nothing):
        return []
    if isinstance(value, bytes):
        return list(map(OtherInteger, value))
    return list(value) if is_array(value) else [value]


def unwrapped(values: list[object]) -> object:
    """Return the value that a pipeline's output is: nothing, the only object, or an array."""
    if len(values) > 1:
        return values
    return values[0] if values else NOTHING


def plain(value: object) -> object:
    """Return a value as it is stored and compared: nothing is null there."""
    return None if isinstance(value, Nothing) else value


def weight(value: object, most: int = 2 * LARGEST) -> int:
    """Return how many characters and elements a value holds, all those in it included.

    Args:
        value: the value, which may hold others, possibly the same ones again and again.
        most: how many are too many.

    Raises:
        NotUnderstoodError: it holds more.
    """
    left = most
    rest: list[object] = [value]
    while rest:
        found = rest.pop()
        inner = found.values() if is_mapping(found) else found if is_array(found) else ()
        left -= 1 + len(inner) + (len(found) if isinstance(found, str | bytes) else 0)
        if left < 0:
            raise NotUnderstoodError(f"more than {most} characters or elements")
        rest.extend(inner)
    return most - left
