"""The text output format: what PowerShell shows of objects on a screen of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from attrs import define, field

from srs_vsphere.simulator.powershell.values import (
    element_text,
    elements,
    is_array,
    is_mapping,
    is_object,
    to_string,
)

_WIDTH = 80
_MOST_COLUMNS = 4
_MOST_ELEMENTS = 4
_NAME_COLUMN = 30


@define
class _Column:
    name: str
    width: int
    right: bool
    texts: list[str]

    def fit(self, text: str) -> str:
        return text.rjust(self.width) if self.right else text.ljust(self.width)


@define
class _Table:
    entries: bool
    rows: list[Mapping[str, object]] = field(factory=list["Mapping[str, object]"])


def show(values: Sequence[object]) -> str:
    """Return the whole output as one text, trimmed at both ends.

    Args:
        values: the objects of the output.
    """
    blocks: list[str | _Table] = []
    for value in [element for given in values for element in elements(given)]:
        if not is_mapping(value):
            blocks.append(_line(value))
            continue
        entries = not is_object(value)
        table = blocks[-1] if blocks else None
        if not isinstance(table, _Table) or table.entries is not entries:
            table = _Table(entries)
            blocks.append(table)
        if entries:
            table.rows += [{"Name": to_string(name), "Value": member} for name, member in value.items()]
        else:
            table.rows.append({to_string(name): member for name, member in value.items()})
    return "".join(block if isinstance(block, str) else _show_rows(block) for block in blocks).strip()


def _line(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"\n{value.strftime('%A, %d %B %Y %H:%M:%S')}\n"
    return to_string(value) + "\n"


def _show_rows(table: _Table) -> str:
    if not table.rows or not table.rows[0]:
        return ""
    if table.entries:
        return _show_table(table.rows, _NAME_COLUMN, align=False)
    if len(table.rows[0]) > _MOST_COLUMNS:
        return "".join(map(_show_list, table.rows))
    return _show_table(table.rows, 0, align=True)


def _show_list(row: Mapping[str, object]) -> str:
    width = max(map(len, row))
    lines = [f"{name:<{width}} : {_cell(value)}" for name, value in row.items()]
    return "\n" + "\n".join(lines) + "\n"


def _show_table(rows: Sequence[Mapping[str, object]], first_width: int, *, align: bool) -> str:
    columns: list[_Column] = []
    left = _WIDTH
    for name in rows[0]:
        if left <= 0:
            # What does not fit is left out without a word.
            break
        texts = [_cell(row.get(name)) for row in rows]
        width = min(max(first_width, len(name), *map(len, texts)), left)
        right = align and _is_number(rows[0][name])
        columns.append(_Column(name, width, right, [_cut(text, width) for text in texts]))
        left -= width + 1
        first_width = 0
    lines = [
        " ".join(column.fit(column.name) for column in columns).rstrip(),
        " ".join(column.fit("-" * len(column.name)) for column in columns),
    ]
    lines += [
        " ".join(column.fit(column.texts[row]) for column in columns).rstrip() for row in range(len(rows))
    ]
    return "\n" + "\n".join(lines) + "\n"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if is_array(value):
        shown = [element_text(element) for element in value[:_MOST_ELEMENTS]]
        more = ["…"] if len(value) > _MOST_ELEMENTS else []
        return "{" + ", ".join(shown + more) + "}"
    if is_mapping(value) and not is_object(value):
        return "{" + ", ".join(map(to_string, value)) + "}"
    return element_text(value)
