"""JSON as RFC 8259 has it: UTF-8 without errors, no ``NaN`` or ``Infinity``, bounded depth.

The standard library's parser is lenient in these points and recurses as deep as its input does.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

#: Deepest nesting that is parsed; the service's own answers are three deep.
MAX_DEPTH = 100

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)


def loads(body: bytes) -> object:
    """Parse one JSON document.

    Args:
        body: the document in UTF-8; a byte order mark is passed over.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested deeper than `MAX_DEPTH`.
    """
    text = body.decode("utf-8-sig")
    check_depth(text)
    return parse(text)


def parse(text: str) -> object:
    """Parse a text whose depth was checked.

    Raises:
        ValueError: it is not JSON.
    """
    result: object = _decoder.decode(text)
    return result


def parse_one(text: str, start: int) -> tuple[object, int]:
    """Parse the value that begins at a place of a text whose depth was checked.

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


def check_depth(text: str) -> None:
    """Refuse a text, whole or not, that is nested too deep to be parsed safely.

    Raises:
        ValueError: it is nested deeper than `MAX_DEPTH`.
    """
    if not _may_be_deep(text):
        return
    # Brackets within strings do not count, but are too dear to take out unless it matters.
    if _may_be_deep(_STRING.sub("", text)):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _may_be_deep(text: str) -> bool:
    brackets = text.encode("utf-8", "surrogatepass").translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if len(brackets) <= MAX_DEPTH:
            return False
        # Each round takes the innermost pairs off, so that what is left after n rounds was n deep.
        peeled = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    return len(brackets) > MAX_DEPTH
