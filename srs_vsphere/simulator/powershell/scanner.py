"""Reading a script's text from left to right."""

from __future__ import annotations

import re

from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, incomplete

_BLANK = re.compile(r"(?:[ \t]|`\r?\n|<#.*?#>|(?<!\S)#[^\n]*)+", re.DOTALL)
_LINES = re.compile(r"(?:\s|`\r?\n|<#.*?#>|#[^\n]*)+", re.DOTALL)
_SEPARATORS = re.compile(r"(?:[\s;]|`\r?\n|<#.*?#>|#[^\n]*)+", re.DOTALL)


class Scanner:
    """A text and a place in it.

    Args:
        text: the script.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: int = 0
        #: How many round brackets are open, within which lines may end anywhere.
        self.brackets: int = 0

    def sign(self) -> str:
        """Return the next sign, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def ended(self) -> bool:
        """Say whether nothing is left."""
        return self.at >= len(self.text)

    def skip_blanks(self) -> None:
        """Go on to the next sign of this line, or of any line within brackets."""
        self._skip(_LINES if self.brackets else _BLANK)

    def skip_lines(self) -> None:
        """Go on to the next sign of any line."""
        self._skip(_LINES)

    def skip_separators(self) -> None:
        """Go on to the next statement."""
        self._skip(_SEPARATORS)

    def looking_at(self, text: str) -> bool:
        """Say whether a text is next.

        Args:
            text: the text, in lower case.
        """
        return self.text[self.at : self.at + len(text)].lower() == text

    def take(self, text: str) -> bool:
        """Go past a text if it is next, and say whether it was.

        Args:
            text: the text, in lower case.
        """
        found = self.looking_at(text)
        if found:
            self.at += len(text)
        return found

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past a pattern if it is next.

        Args:
            pattern: the pattern.

        Returns:
            What it matched, or None.
        """
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def expect(self, text: str, missing: str) -> None:
        """Go past a text that has to be next.

        Args:
            text: the text.
            missing: the words of the error if the script ends instead.

        Raises:
            ScriptError: the script ends.
            NotUnderstoodError: something else is next.
        """
        if not self.take(text):
            if self.ended():
                raise incomplete(missing)
            raise self.not_understood()

    def not_understood(self) -> NotUnderstoodError:
        """Return the error of a script that goes on in an unknown way."""
        return NotUnderstoodError(f"{self.text[self.at : self.at + 20]!r}")

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
