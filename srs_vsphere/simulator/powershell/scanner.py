"""Reading a script's text from left to right."""

from __future__ import annotations

import re
from bisect import bisect_left

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError

_COMMENT = r"<#.*?#>|(?<![^\s;({|,=])#[^\n]*"
_BLANK = re.compile(rf"(?:[ \t]|`\r?\n|{_COMMENT})+", re.DOTALL)
_LINES = re.compile(rf"(?:\s|`\r?\n|{_COMMENT})+", re.DOTALL)
_SEPARATORS = re.compile(rf"(?:[\s;]|`\r?\n|{_COMMENT})+", re.DOTALL)
_REQUIRES = re.compile(r"#requires\b", re.IGNORECASE)


class Scanner:
    """A text and a place in it.

    Args:
        text: the script.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: int = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]

    @property
    def line(self) -> int:
        """The line of the next sign, counted from 1."""
        return bisect_left(self._ends, self.at) + 1

    def sign(self) -> str:
        """Return the next sign, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def ended(self) -> bool:
        """Say whether nothing is left."""
        return self.at >= len(self.text)

    def skip_blanks(self) -> None:
        """Go on to the next sign of this line."""
        self._skip(_BLANK)

    def skip_lines(self) -> None:
        """Go on to the next sign of any line."""
        self._skip(_LINES)

    def skip_separators(self) -> None:
        """Go on to the next statement."""
        self._skip(_SEPARATORS)

    def looking_at(self, text: str) -> bool:
        """Say whether a text, given in lower case, is next."""
        return self.text[self.at : self.at + len(text)].lower() == text

    def take(self, text: str) -> bool:
        """Go past a text, given in lower case, if it is next, and say whether it was."""
        found = self.looking_at(text)
        if found:
            self.at += len(text)
        return found

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past a pattern if it is next, and return what it matched."""
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def expect(self, text: str) -> None:
        """Go past a text that has to be next."""
        if not self.take(text):
            raise self.not_understood()

    def not_understood(self, what: str = "") -> NotUnderstoodError:
        """Return the error of a script that goes on in an unknown way.

        Args:
            what: the construct; default: what comes next in the text.
        """
        rest = self.text[self.at : self.at + 30].split("\n")[0]
        return NotUnderstoodError(what or (repr(rest) if rest else "the end of the text"), self.line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            if _REQUIRES.search(match.group()):
                raise self.not_understood("#requires")
            self.at = match.end()
