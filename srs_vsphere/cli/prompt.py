"""Reading commands at a prompt: lines until the command is whole, and a history of them."""

from __future__ import annotations

import contextlib
import os
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Self

_MOST_KEPT = 1000
_PAIRS = {")": "(", "]": "[", "}": "{"}
#: What is not looked into: texts, comments, and signs behind a backtick. Without its end it is still open.
_CLOSED = re.compile(
    r"""@'[ \t]*\n.*?\n'@ | @"[ \t]*\n.*?\n"@ | '(?:[^']|'')*' | "(?:[^"`]|`.|"")*"
        | <\#.*?\#> | \#[^\n]* | `. """,
    re.DOTALL | re.VERBOSE,
)
_OPENING = ("'", '"', "@'", '@"', "<#")


def is_complete(text: str) -> bool:
    """Whether a command is whole: what is open is closed, and its last line does not go on.

    Args:
        text: what was typed so far, in PowerShell.
    """
    brackets: list[str] = []
    place = 0
    while place < len(text):
        closed = _CLOSED.match(text, place)
        if closed is not None:
            place = closed.end()
            continue
        if text.startswith(_OPENING, place):
            return False
        char = text[place]
        if char in _PAIRS.values():
            brackets.append(char)
        elif brackets and _PAIRS.get(char) == brackets[-1]:
            brackets.pop()
        place += 1
    return not brackets and not text.rstrip(" \t").endswith(("`", "|"))


def read_command(prompt: str) -> str | None:
    """Read one command; an empty line ends one that does not seem whole.

    Args:
        prompt: what stands before its first line.

    Returns:
        The command; None at the end of the input.

    Raises:
        KeyboardInterrupt: it was broken off.
    """
    lines: list[str] = []
    while True:
        try:
            line = input(">> " if lines else prompt)
        except EOFError:
            return None
        lines.append(line)
        text = "\n".join(lines)
        if is_complete(text) or not line.strip():
            return text


class History:
    """What was typed, kept for the next time in a file of its user's; used in ``with``.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readline: ModuleType | None = None
        # Windows has none: its console edits lines by itself.
        with contextlib.suppress(ImportError):
            self._readline = import_module("readline")

    def __enter__(self) -> Self:
        if self._readline is not None:
            self._readline.set_history_length(_MOST_KEPT)
            with contextlib.suppress(OSError):
                self._readline.read_history_file(self._path)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._readline is None:
            return
        # A history that cannot be kept is no reason to fail.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._readline.write_history_file(self._path)
