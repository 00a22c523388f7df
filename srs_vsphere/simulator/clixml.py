"""CLIXML decoder: values that travel as a text, made into Python values again."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from srs_vsphere.simulator.objects.texts import to_string
from srs_vsphere.simulator.objects.values import (
    ArrayList,
    Char,
    Hashtable,
    Int64,
    OtherInteger,
    PSCredential,
    PsObject,
    SecureString,
    Version,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")
_CREDENTIAL = "System.Management.Automation.PSCredential"
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})


class ClixmlError(ValueError):
    """A text is no CLIXML that can be read."""


def decode(text: str, *, arrays: bool = False) -> list[object]:
    """Return the values of a CLIXML text.

    Args:
        text: the text.
        arrays: whether lists become arrays, as the project's own script for parameters makes them.

    Raises:
        ClixmlError: it cannot be read.
    """
    # Not at the top: a simulator that decodes nothing need not load a parser.
    from xml.etree import ElementTree

    if "<!" in text:
        # A document type could make the parser work without end, and CLIXML has none.
        raise ClixmlError("a document type is not CLIXML")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - what could harm was refused above
        decoder = _Decoder(list if arrays else ArrayList)
        return [decoder.value(element) for element in root]
    except (ElementTree.ParseError, ValueError, ArithmeticError, KeyError, RecursionError) as error:
        raise ClixmlError(str(error)) from None


class _Decoder:
    def __init__(self, lists: type[list[object]]) -> None:
        self._lists = lists
        self._seen: dict[str, object] = {}

    def value(self, element: Element) -> object:
        kind = _kind(element)
        if kind == "Nil":
            return None
        if kind == "Ref":
            return self._seen[element.get("RefId", "")]
        if kind == "Obj":
            return self._object(element)
        return _SCALARS[kind](_unescape(element.text or ""))

    def _object(self, element: Element) -> object:
        parts = {_kind(part): part for part in element}
        value: object
        reference = element.get("RefId")
        for kind, part in parts.items():
            if kind in _LISTS:
                found = self._lists()
                self._note(reference, found)
                found += [self.value(item) for item in part]
                return found
            if kind == "DCT":
                table = Hashtable()
                self._note(reference, table)
                table.update(self._entries(part))
                return table
            if kind in _SCALARS:
                # A member of an enumeration, or a simple value that was given properties.
                value = self.value(part)
                self._note(reference, value)
                return value
        properties = PsObject()
        self._note(reference, properties)
        for name in ("Props", "MS"):
            if name in parts:
                properties.update((_unescape(item.get("N", "")), self.value(item)) for item in parts[name])
        if "TN" in parts and any(type_.text == _CREDENTIAL for type_ in parts["TN"]):
            user, password = properties["UserName"], properties["Password"]
            if isinstance(user, str) and isinstance(password, SecureString):
                return PSCredential(user, password)
        if not properties and "ToString" in parts:
            return _unescape(parts["ToString"].text or "")
        return properties

    def _note(self, reference: str | None, value: object) -> None:
        if reference is not None:
            self._seen[reference] = value

    def _entries(self, part: Iterable[Element]) -> Iterable[tuple[object, object]]:
        for entry in part:
            named = {item.get("N", ""): self.value(item) for item in entry}
            key = named["Key"]
            yield (key if isinstance(key, int) else to_string(key)), named["Value"]


def _kind(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _unescape(text: str) -> str:
    plain = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    # Escapes name UTF-16 units: two of them may be one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ClixmlError(f"{text!r} is no duration")
    sign, days, hours, minutes, seconds = match.groups(default="0")
    value = timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return -value if sign == "-" else value


_SCALARS: dict[str, Callable[[str], object]] = {
    "S": str,
    "XD": str,
    "URI": str,
    "SBK": str,
    "C": lambda text: Char(chr(int(text))),
    "B": lambda text: text == "true",
    "I32": int,
    "I64": Int64,
    "U32": lambda text: OtherInteger(text, "System.UInt32"),
    "U64": lambda text: OtherInteger(text, "System.UInt64"),
    "I16": lambda text: OtherInteger(text, "System.Int16"),
    "U16": lambda text: OtherInteger(text, "System.UInt16"),
    "By": OtherInteger,
    "SB": lambda text: OtherInteger(text, "System.SByte"),
    "D": Decimal,
    "Db": float,
    "Sg": float,
    "DT": _time,
    "TS": _duration,
    "G": UUID,
    "Version": Version,
    "BA": base64.b64decode,
    # The text's UTF-16 units in hexadecimal.
    "SS": lambda text: SecureString(bytes.fromhex(text).decode("utf-16-le", "surrogatepass")),
}
