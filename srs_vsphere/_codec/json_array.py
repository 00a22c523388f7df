"""Incremental decoder for one JSON array: bytes in, whole elements out, no I/O.

The usual case is the service's compact list of objects, of which all that is complete in a chunk is
parsed in one go. Anything else is parsed value by value. When the value at the end is not whole yet, it
is tried again only after the text has doubled, which keeps a huge element linear in its size.
"""

from __future__ import annotations

import codecs
import json
import re
from enum import Enum
from typing import cast

from srs_vsphere._codec import strict_json

#: Below this many characters a new try is cheap, and small elements are not kept waiting.
_ALWAYS_TRY_BELOW = 4096

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?[0-9][-+.eE0-9]*")
_NOTHING = re.compile(r"")
#: By the parser's complaint: what may stand between its position and the end of a text that was only cut off.
_CUT = {
    "Expecting value": re.compile(r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-)?"),
    "Expecting ',' delimiter": re.compile(r"(?:(?<=[0-9])(?:\.|\.?[eE][-+]?))?"),
    "Invalid \\uXXXX escape": re.compile(r"u[0-9a-fA-F]{0,4}"),
}


class JsonArrayError(ValueError):
    """The text is not one whole JSON array.

    Args:
        message: what is wrong with it.
        truncated: whether it was fine as far as it went, but stopped before its end.
    """

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.truncated: bool = truncated


class _Expect(Enum):
    BRACKET = "the opening bracket of an array"
    FIRST = "a value or the closing bracket"
    VALUE = "a value"
    COMMA = "a comma or the closing bracket"
    NOTHING = "nothing after the closing bracket"


class JsonArrayDecoder:
    """Decodes the elements of one array while its bytes arrive.

    A fault is raised only after every element before it was handed out, so that the caller can count them.
    """

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._pieces: list[str] = []
        self._size = 0
        self._try_at = 0
        self._expect = _Expect.BRACKET
        self._fault: JsonArrayError | None = None

    def feed(self, data: bytes) -> list[object]:
        """Take the next bytes.

        Args:
            data: any number of bytes, cut anywhere.

        Returns:
            The elements that are now whole, in order.

        Raises:
            JsonArrayError: the text is not a JSON array, or goes on after one.
        """
        self._raise_fault()
        broken: JsonArrayError | None = None
        try:
            piece = self._utf8.decode(data)
        except UnicodeDecodeError as error:
            piece = error.object[: error.start].decode()
            broken = JsonArrayError(f"not UTF-8: {error.reason}")
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < self._try_at and broken is None:
            return []
        items: list[object] = []
        text = "".join(self._pieces)
        rest = self._take(text, items)
        self._fault = self._fault or broken
        self._pieces = [rest]
        self._size = len(rest)
        self._try_at = 2 * len(rest) if len(rest) >= _ALWAYS_TRY_BELOW else 0
        if not items:
            self._raise_fault()
        return items

    def close(self) -> list[object]:
        """End the input: no more bytes come. To be called again until it returns nothing.

        Returns:
            Elements that became whole but had not been tried yet.

        Raises:
            JsonArrayError: the array was not whole.
        """
        self._try_at = 0
        items = self.feed(b"")
        if items:
            return items
        self._raise_fault()
        in_character = bool(self._utf8.getstate()[0])
        if self._expect is _Expect.BRACKET and not in_character:
            raise JsonArrayError("the body is empty")
        if self._expect is not _Expect.NOTHING:
            raise JsonArrayError(f"it ended where {self._expect.value} was due", truncated=True)
        if in_character:
            raise JsonArrayError(f"half a character stands where {self._expect.value} was due")
        return []

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _take(self, text: str, items: list[object]) -> str:
        """Move all whole elements of the text to `items`; return what is left of it."""
        outer = 0 if self._expect is _Expect.BRACKET else 1
        too_deep = strict_json.find_too_deep(text, strict_json.MAX_DEPTH - outer)
        if too_deep is None:
            return self._take_elements(text, items)
        # What comes before it counts as much as if it had come in an earlier chunk.
        self._take_elements(text[:too_deep], items)
        self._fault = self._fault or JsonArrayError(strict_json.TOO_DEEP)
        return ""

    def _take_elements(self, text: str, items: list[object]) -> str:
        at = self._take_batch(text, items)
        if at and text.find("}", at) < 0:
            return text[at:]  # the usual remainder, an object begun: nothing more can be read
        while True:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text too
            if at == len(text):
                return ""
            after = self._take_one(text, at, items)
            if after == at:
                return text[at:]
            at = after

    def _take_batch(self, text: str, items: list[object]) -> int:
        """Parse up to the last ``},{`` at once, if that is a boundary between elements."""
        if self._expect is _Expect.BRACKET and text.startswith("[{"):
            start = 1
        elif self._expect is _Expect.VALUE and text.startswith("{"):
            start = 0
        else:
            return 0
        end = text.rfind("},{") + 1
        if end <= start:
            return 0
        # Inside a string or a nested value this cannot parse: the one bracket would close too little.
        try:
            batch = cast("list[object]", strict_json.parse(f"[{text[start:end]}]"))
        except ValueError:
            return 0
        items.extend(batch)
        self._expect = _Expect.VALUE
        return end + 1

    def _take_one(self, text: str, at: int, items: list[object]) -> int:
        """Take one bracket, comma or value; return the index after it, or the same for want of more."""
        char = text[at]
        match self._expect:
            case _Expect.BRACKET if char == "[":
                self._expect = _Expect.FIRST
            case _Expect.FIRST | _Expect.COMMA if char == "]":
                self._expect = _Expect.NOTHING
            case _Expect.COMMA if char == ",":
                self._expect = _Expect.VALUE
            case _Expect.FIRST | _Expect.VALUE:
                return self._take_value(text, at, items)
            case _:
                return self._fail(f"{text[at : at + 20]!r} stands where {self._expect.value} was due", at)
        return at + 1

    def _take_value(self, text: str, at: int, items: list[object]) -> int:
        number = _NUMBER.match(text, at)
        try:
            if number and number.end() == len(text):
                return at  # more digits may follow
            value, after = strict_json.parse_one(text, at)
        except ValueError as error:
            return at if _is_cut(error, text) else self._fail(_complaint(error, text), at)
        items.append(value)
        self._expect = _Expect.COMMA
        return after

    def _fail(self, message: str, at: int) -> int:
        self._fault = JsonArrayError(message)
        return at


def _is_cut(error: ValueError, text: str) -> bool:
    """Return whether a value is only incomplete: more bytes may still make it valid."""
    if not isinstance(error, json.JSONDecodeError):
        return False  # NaN, or a number of too many digits
    if error.msg.startswith("Unterminated string"):
        return True
    return _CUT.get(error.msg, _NOTHING).fullmatch(text, error.pos) is not None


def _complaint(error: ValueError, text: str) -> str:
    # The parser counts lines and columns from wherever the text at hand begins, so these are left out.
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at {text[error.pos : error.pos + 20]!r}"
    return str(error)
