"""JSON as RFC 8259 has it: UTF-8 without errors, no ``NaN`` or ``Infinity``, bounded depth.

The standard library's parser is lenient in these points and recurses as deep as its input does.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import NoReturn

#: Deepest nesting that is parsed; the service's own responses are three deep.
MAX_DEPTH = 100
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_NOT_MARKS = bytes(set(range(256)) - set(b'[{},"'))
#: Everything up to the next bracket that is not within a string, and that bracket.
_NEXT_BRACKET = re.compile(r'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z))*+([\[\]{}])', re.DOTALL)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _decoder_of(fraction: Callable[[str], object] | None) -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse, parse_float=fraction)


_decoder = _decoder_of(None)


def loads(body: bytes) -> object:
    """Parse one JSON document.

    Args:
        body: the document in UTF-8; a byte order mark is passed over.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested deeper than `MAX_DEPTH`.
    """
    # Looked at here, for the codec that passes a byte order mark over takes three times as long.
    text = body.decode("utf-8-sig" if body.startswith(codecs.BOM_UTF8) else "utf-8")
    # Too few brackets for too many levels: nearly every response, and cheaper than a search of the text.
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return parse(text)
    return loads_text(text)


def loads_text(text: str, fraction: Callable[[str], object] | None = None) -> object:
    """Parse one JSON document that is text already.

    Args:
        text: the document.
        fraction: makes a number with a fraction or an exponent of its text; default ``float``.

    Raises:
        ValueError: it is not JSON, or nested deeper than `MAX_DEPTH`.
    """
    if find_too_deep(text, MAX_DEPTH) is not None:
        raise ValueError(TOO_DEEP)
    if fraction is None:
        return parse(text)
    result: object = _decoder_of(fraction).decode(text)
    return result


def parse(text: str) -> object:
    """Parse a text whose depth was checked.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        # To look for white space around the document as well costs a tenth of a short one.
        document: tuple[object, int] = _decoder.raw_decode(text)
        if document[1] == len(text):
            return document[0]
    except ValueError:
        # It begins with white space, or is no JSON.
        pass
    result: object = _decoder.decode(text)
    return result


def parse_one(text: str, start: int) -> tuple[object, int]:
    """Parse the value that begins at an index of a text whose depth was checked.

    Args:
        text: the text.
        start: index of the value's first character.

    Returns:
        The value, and the index after it.

    Raises:
        ValueError: there is no whole JSON value.
    """
    result: tuple[object, int] = _decoder.raw_decode(text, start)
    return result


def find_too_deep(text: str, limit: int) -> int | None:
    """Find where a text, whole or cut off, is nested deeper than can be parsed safely.

    Args:
        text: the text.
        limit: how many levels it may have.

    Returns:
        Index of the first bracket beyond the limit, or None.
    """
    if _most_levels(text) <= limit:
        return None
    depth = at = 0
    while bracket := _NEXT_BRACKET.match(text, at):
        at = bracket.end()
        depth += 1 if bracket[1] in "[{" else -1
        if depth > limit:
            return at - 1
    return None


def _most_levels(text: str) -> int:
    """Return an upper bound of the nesting, at little cost."""
    marks = text.encode("utf-8", "surrogatepass").translate(None, _NOT_MARKS)
    # An object right after another is no deeper than that. The three marks cannot occur inside a string:
    # it would end in a quote.
    return marks.count(b"{") + marks.count(b"[") - marks.count(b"},{")
