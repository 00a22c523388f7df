"""Reading a script's text from left to right."""

from __future__ import annotations

import re
from bisect import bisect_left

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError

_COMMENT = r"<#.*?#>|(?<![^\s;({|,=])#[^\r\n]*"
_BETWEEN = rf"(?<=[ \t])`\r?\n|{_COMMENT}"
BLANK = re.compile(rf"(?:[ \t]|{_BETWEEN})+", re.DOTALL)
LINES = re.compile(rf"(?:[ \t\r\n]|{_BETWEEN})+", re.DOTALL)
SEPARATORS = re.compile(rf"(?:[ \t\r\n;]|{_BETWEEN})+", re.DOTALL)
#: Comments that mean something to PowerShell.
_MEANT = re.compile(r"#requires\b|# sig # begin", re.IGNORECASE)
#: How many blocks, brackets and operands may be inside each other.
_DEEPEST = 50


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


class Scanner:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: int = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._depth = 0

    @property
    def line(self) -> int:
        """The line of the next sign, counted from 1."""
        return bisect_left(self._ends, self.at) + 1

    def sign(self) -> str:
        """Return the next sign, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def skip(self, pattern: re.Pattern[str] = BLANK) -> None:
        """Go on to the next sign of this line, of any line, or of the next statement."""
        match = self.match(pattern)
        if match is not None and _MEANT.search(match[0]):
            raise self.not_understood("a comment that PowerShell heeds")

    def looking_at(self, text: str) -> bool:
        """Say whether a text is next."""
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        """Go past a text if it is next, and say whether it was."""
        found = self.looking_at(text)
        self.at += len(text) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past a pattern if it is next, and return what it matched."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match is not None else self.at
        return match

    def expect(self, text: str) -> None:
        """Go past a text that has to be next, on any line."""
        self.skip(LINES)
        if not self.take(text):
            raise self.not_understood()

    def deeper(self, levels: int) -> None:
        """Note that the text goes so many levels deeper, or back; too deep is not understood."""
        self._depth += levels
        if self._depth > _DEEPEST:
            raise self.not_understood(f"more than {_DEEPEST} levels of brackets")

    def not_understood(self, what: str = "") -> NotUnderstoodError:
        """Return the error of a script that goes on in an unknown way; by default with what comes next."""
        rest = self.text[self.at : self.at + 30].split("\n")[0]
        return NotUnderstoodError(what or (repr(rest) if rest else "the end of the text"), self.line)
