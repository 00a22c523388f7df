"""Tables of text: columns that fit the width there is, by the cells that a terminal gives each sign."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

_BETWEEN = "  "
#: A column is not made narrower than this.
_NARROWEST = 8


@frozen(eq=False)
class Heading:
    """A column's heading.

    Args:
        text: what it says.
        flexible: whether its cells may be cut where there is not enough width.
        optional: whether it is left out where there is not enough width.
    """

    text: str
    flexible: bool = False
    optional: bool = False


def format_table(headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return the lines of a table.

    Args:
        headings: one for each column.
        rows: the cells of each row.
        width: cells that a line may take; None for as many as it takes.

    Returns:
        The lines, the headings first.
    """
    lines = [[heading.text for heading in headings], *([plain(cell) for cell in row] for row in rows)]
    widths = [max(_width(line[place]) for line in lines) for place in range(len(headings))]
    shown = list(range(len(headings)))
    if width is not None:
        for place in reversed(range(len(headings))):
            least = _total([_least(headings[place], widths[place]) for place in shown])
            if least > width and headings[place].optional:
                shown.remove(place)
        _narrow([place for place in shown if headings[place].flexible], shown, widths, width)
    return [_BETWEEN.join(_cell(line[place], widths[place]) for place in shown).rstrip() for line in lines]


def format_members(members: Sequence[tuple[str, str]]) -> list[str]:
    """Return the lines that show one object, a line for each member.

    Args:
        members: name and value of each.
    """
    widest = max((_width(name) for name, _ in members), default=0)
    return [f"{_cell(name, widest)}{_BETWEEN}{plain(value)}".rstrip() for name, value in members]


def plain(text: str) -> str:
    """Make one line of a text that a service sent, without a terminal's commands.

    Args:
        text: the text.
    """
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Replace what commands a terminal, and half characters, but for tabs and line feeds.

    Args:
        text: the text.
    """
    return "".join(
        char if char.isprintable() or char in "\t\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    # Loaded on use: it knows the widths of all signs.
    from rich.cells import cell_len

    return cell_len(text)


def _least(heading: Heading, width: int) -> int:
    return min(width, _NARROWEST) if heading.flexible else width


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _narrow(flexible: Sequence[int], shown: Sequence[int], widths: list[int], width: int) -> None:
    """Take width from the widest column that can give some, until all fit or none can."""
    while flexible and _total([widths[place] for place in shown]) > width:
        widest = max(flexible, key=lambda place: widths[place])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def _cell(text: str, width: int) -> str:
    length = _width(text)
    if length <= width:
        return text + " " * (width - length)
    if text.isascii():
        return text[: width - 1] + "…"
    from rich.cells import set_cell_size

    return set_cell_size(text, width - 1) + "…"
