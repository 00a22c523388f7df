"""Parameters outside of bodies: the query, and words in the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from srs_vsphere.simulator.problems import BindingError

_MOST_DIGITS = 20


def query_flag(query: str, name: str) -> bool:
    """Return a member of the query that is true or false, false when it is absent or empty.

    Args:
        query: the query, not decoded.
        name: the member's name.

    Raises:
        BindingError: it is another word.
    """
    for member, value in _members(query):
        if member.lower() == name.lower():
            word = value.strip().lower()
            if word in {"", "false", "true"}:
                return word == "true"
            raise BindingError({name: [f"The value '{value}' is not valid."]})
    return False


def path_choice(name: str, value: str, words: tuple[str, ...]) -> str:
    """Return a word that is part of the path, given as itself or as its number.

    Args:
        name: what the service calls that part.
        value: the part.
        words: the words, in the order of their numbers.

    Raises:
        BindingError: it is neither.
    """
    text = value.strip()
    if re.fullmatch(r"[-+]?\d+", text):
        # Python does not read a number of thousands of digits.
        if len(text) < _MOST_DIGITS and 0 <= int(text) < len(words):
            return words[int(text)]
        raise BindingError({name: [f"The value '{value}' is invalid."]})
    if text.lower() not in words:
        raise BindingError({name: [f"The value '{value}' is not valid."]})
    return text.lower()


def _members(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)
