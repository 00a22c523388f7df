"""The JSON reader of the service, which takes more than JSON and says where it stopped.

It accepts comments, single quotes, names without quotes, trailing commas and whatever follows the first
value. It
knows lines and positions, because the service's answers to a bad body name them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

from attrs import define

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][-+]?\d+)?|\d+\.)")
_SPACE = re.compile(r"\s+")
_PLAIN = re.compile(r"[^'\"\\]+")
#: Deeper than anything that makes sense, and shallow enough for Python.
_MOST_LEVELS = 150
#: A value costs time, and a request must not take the simulator's from all others.
_MOST_VALUES = 50_000
_MOST_DIGITS = 380
_WORD = re.compile(r"[A-Za-z0-9_$]+")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Value] = {
    "null": None,
    "undefined": None,
    "true": True,
    "false": False,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


class JsonError(ValueError):
    """A text cannot be read on.

    Args:
        message: the service's words, with path, line and position.
        path: the path at which it stopped.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


@define(eq=False)
class Node:
    """One value of a text.

    Args:
        kind: ``object``, ``array``, ``string``, ``number``, ``boolean`` or ``null``.
        text: the value as it was written; a string without quotes and escapes.
        path: where it is.
        opened: line and position after its first sign; of an object, after its first member's name.
        closed: line and position after its last sign.
        members: an object's members, in order; a name that is there twice is there twice.
        elements: an array's elements.
        bracket: line and position after the opening bracket.
        after: what follows the opening bracket as the reader sees it when it wanted a plain value.
    """

    kind: str
    text: str
    path: str
    opened: tuple[int, int]
    closed: tuple[int, int]
    members: Sequence[tuple[str, Node]] = ()
    elements: Sequence[Node] = ()
    bracket: tuple[int, int] = (0, 0)
    after: tuple[str, tuple[int, int]] | None = None

    def value(self) -> Value:
        """Return this value in Python's types."""
        if self.kind == "object":
            return {name: member.value() for name, member in self.members}
        if self.kind == "array":
            return [element.value() for element in self.elements]
        if self.kind == "string":
            return self.text
        if self.kind == "number":
            return _number(self.text)
        return _WORDS[self.text]


def parse(text: str) -> Node | None:
    """Read the first value of a text.

    Args:
        text: the text.

    Returns:
        The value, or None when there is none.

    Raises:
        JsonError: the text cannot be read.
    """
    reader = _Reader(text)
    reader.skip_space()
    return None if reader.at_end() else reader.value("")


def place(path: str, position: tuple[int, int]) -> str:
    """Return the words by which the service says where something was.

    Args:
        path: the path.
        position: line and position.
    """
    return f"Path '{path}', line {position[0]}, position {position[1]}."


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._values = 0
        # Where lines end, so that naming a position costs the same wherever it is.
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def position(self) -> tuple[int, int]:
        line = bisect_left(self._ends, self._at)
        return line + 1, self._at - (self._ends[line - 1] + 1 if line else 0)

    def fail(self, what: str, path: str) -> JsonError:
        return JsonError(f"{what} {place(path, self.position())}", path)

    def sign(self) -> str:
        return self._text[self._at : self._at + 1]

    def skip_space(self) -> None:
        while not self.at_end():
            space = _SPACE.match(self._text, self._at)
            if space is not None:
                self._at = space.end()
            elif self._text.startswith("/*", self._at):
                end = self._text.find("*/", self._at + 2)
                self._at = len(self._text) if end < 0 else end + 2
            elif self._text.startswith("//", self._at):
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                break

    def value(self, path: str) -> Node:
        sign = self.sign()
        self._values += 1
        if self._values > _MOST_VALUES:
            raise self.fail(f"The simulator reads no more than {_MOST_VALUES} values.", path)
        if sign in {"{", "["}:
            if self._depth == _MOST_LEVELS:
                raise self.fail(f"The reader's MaxDepth of {_MOST_LEVELS} has been exceeded.", path)
            self._depth += 1
            node = self._object(path) if sign == "{" else self._array(path)
            self._depth -= 1
            return node
        if sign in {"'", '"'}:
            return self._plain("string", self._string(path), path)
        for word in () if sign.isdigit() else _WORDS:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                kind = {"true": "boolean", "false": "boolean", "null": "null", "undefined": "null"}
                return self._plain(kind.get(word, "number"), word, path)
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            self._at += 1
            raise self.fail(f"Unexpected character encountered while parsing value: {sign}.", path)
        self._at = number.end()
        if len(number.group()) > _MOST_DIGITS:
            raise self.fail(f"JSON integer {number.group()} is too large to parse.", path)
        return self._plain("number", number.group(), path)

    def _plain(self, kind: str, text: str, path: str) -> Node:
        position = self.position()
        return Node(kind, text, path, position, position)

    def _string(self, path: str) -> str:
        quote = self.sign()
        self._at += 1
        parts: list[str] = []
        while not self.at_end():
            plain = _PLAIN.match(self._text, self._at)
            if plain is not None:
                parts.append(plain.group())
                self._at = plain.end()
                continue
            sign = self.sign()
            self._at += 1
            if sign == quote:
                # Escapes name UTF-16 units: two of them may be one character.
                units = "".join(parts).encode("utf-16", "surrogatepass")
                return units.decode("utf-16", "surrogatepass")
            if sign == "\\":
                sign = self._escape(path)
            parts.append(sign)
        raise self.fail(f"Unterminated string. Expected delimiter: {quote}.", path)

    def _escape(self, path: str) -> str:
        sign = self.sign()
        self._at += 1
        if sign == "u":
            digits = self._text[self._at : self._at + 4]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise self.fail(f"Invalid Unicode escape sequence: \\u{digits}.", path)
            self._at += 4
            return chr(int(digits, 16))
        if sign and sign in "\\\"'/":
            return sign
        if sign not in _ESCAPES:
            raise self.fail(f"Bad JSON escape sequence: \\{sign}.", path)
        return _ESCAPES[sign]

    def _object(self, path: str) -> Node:
        self._at += 1
        bracket = self.position()
        opened: tuple[int, int] | None = None
        after = self._after_bracket()
        members: list[tuple[str, Node]] = []
        last = path
        while True:
            self.skip_space()
            if self.at_end():
                what = "deserializing object" if members else "reading JSON"
                raise self.fail(f"Unexpected end when {what}.", last)
            if self.sign() == "}":
                self._at += 1
                opened = opened or self.position()
                return Node(
                    "object", "", path, opened, self.position(), members, bracket=bracket, after=after
                )
            name = self._name(last)
            last = f"{path}.{name}" if path else name
            self.skip_space()
            if self.sign() != ":":
                what = f"Invalid character after parsing property name. Expected ':' but got: {self.sign()}."
                raise self.fail(what, path)
            self._at += 1
            opened = opened or self.position()
            members.append((name, self._inner(last)))
            self._separator("}", last)

    def _array(self, path: str) -> Node:
        self._at += 1
        opened = self.position()
        after = self._after_bracket()
        elements: list[Node] = []
        while True:
            self.skip_space()
            if self.at_end():
                raise self.fail("Unexpected end when deserializing array.", f"{path}[{len(elements)}]")
            if self.sign() == "]":
                self._at += 1
                return Node(
                    "array", "", path, opened, self.position(), elements=elements, bracket=opened, after=after
                )
            elements.append(self._inner(f"{path}[{len(elements)}]"))
            self._separator("]", elements[-1].path)

    def _inner(self, path: str) -> Node:
        self.skip_space()
        if self.at_end():
            raise self.fail("Unexpected end when reading JSON.", path)
        return self.value(path)

    def _name(self, path: str) -> str:
        if self.sign() in {"'", '"'}:
            return self._string(path)
        word = _WORD.match(self._text, self._at)
        if word is None:
            raise self.fail(f"Invalid property identifier character: {self.sign()}.", path)
        self._at = word.end()
        return word.group()

    def _separator(self, closing: str, path: str) -> None:
        self.skip_space()
        if self.sign() == ",":
            self._at += 1
        elif not self.at_end() and self.sign() != closing:
            what = f"After parsing a value an unexpected character was encountered: {self.sign()}."
            raise self.fail(what, path)

    def _after_bracket(self) -> tuple[str, tuple[int, int]] | None:
        """Look at what a reader trips over that wanted a plain value, found a bracket and goes on."""
        start = self._at
        try:
            self.skip_space()
            if self.sign() in {"{", "[", ""}:
                return None
            self.value("")
            self.skip_space()
            sign = self.sign()
            return (sign, self.position()) if sign and sign not in ",}" else None
        except JsonError:
            return None
        finally:
            self._at = start


def _number(text: str) -> int | float:
    if text in _WORDS:
        return float(text.replace("Infinity", "inf"))
    if "x" in text.lower():
        return int(text, 16)
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
