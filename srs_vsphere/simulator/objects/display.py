"""The text output format: what PowerShell shows of objects on a screen of some columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from attrs import define, field

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import element_text, to_string
from srs_vsphere.simulator.objects.values import (
    EnumValue,
    Hashtable,
    Int64,
    Version,
    elements,
    is_array,
    is_mapping,
    is_object,
)

WIDTH = 80
_MOST_COLUMNS = 4
_MOST_ELEMENTS = 4
_NAME_COLUMN = 30
_CENTS = Decimal("0.01")
#: Signs that take one column each.
_NARROW = re.compile("[ -~\xa0-\u02ff]*")
#: Signs of which it is not known what becomes of them.
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f]")


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


def show(values: Sequence[object], width: int = WIDTH, *, exact: bool = False) -> str:
    """Return the whole output as one text, trimmed at both ends.

    Args:
        values: the objects of the output.
        width: columns of the screen.
        exact: whether to refuse what is not certain to look like this.

    Raises:
        NotUnderstoodError: it is not certain.
    """
    blocks: list[str | _Table] = []
    after_table = False
    for value in [element for given in values for element in elements(given)]:
        table = blocks[-1] if blocks and isinstance(blocks[-1], _Table) else None
        if not is_mapping(value):
            if exact:
                _check_line(value, after_table=after_table)
            blocks.append(_line(value))
            continue
        if table is None or table.entries is is_object(value):
            if exact and after_table:
                raise NotUnderstoodError("several kinds of objects as text")
            table = _Table(not is_object(value))
            blocks.append(table)
            after_table = True
        if table.entries:
            if exact and len(value) > 1 and isinstance(value, Hashtable):
                raise NotUnderstoodError("the random order of a hashtable's keys: [ordered] has one")
            table.rows += [{"Name": to_string(name), "Value": member} for name, member in value.items()]
        else:
            table.rows.append({to_string(name): member for name, member in value.items()})
    for block in blocks:
        if exact and isinstance(block, _Table):
            _check_table(block, width)
    return "".join(block if isinstance(block, str) else _show_rows(block, width) for block in blocks).strip()


def _check_line(value: object, *, after_table: bool) -> None:
    known = isinstance(value, bool | int | float | Decimal | EnumValue | None) or (
        isinstance(value, str) and not isinstance(value, Version) and _CONTROL.search(value) is None
    )
    if after_table or not known:
        raise NotUnderstoodError("this output as text: of other objects, or in this order")


def _check_table(table: _Table, width: int) -> None:
    names = list(table.rows[0]) if table.rows else []
    as_list = len(names) > _MOST_COLUMNS
    for row in table.rows:
        for name, value in row.items():
            known = type(value) in {str, bool, int, Int64} or value is None
            fraction = isinstance(value, float) and abs(value) < 1000 and not (as_list or table.entries)
            narrow = _NARROW.fullmatch(name) and _NARROW.fullmatch(_cell(value, cents=True))
            if not (known or fraction) or not narrow or list(row) != names:
                raise NotUnderstoodError("these objects as text")
            if (_is_right(value) or value is None) != _is_right(table.rows[0][name]) and not table.entries:
                raise NotUnderstoodError("objects with different types as text")
    lengths = {
        name: max(len(name), *(len(_cell(row[name], cents=True)) for row in table.rows)) for name in names
    }
    if table.entries:
        fits = lengths.get("Name", width) <= _NAME_COLUMN and lengths["Value"] < width - _NAME_COLUMN
    elif as_list:
        fits = max(map(len, names)) + 3 + max(lengths.values()) <= width
    else:
        # Of wider tables only one row of texts was recorded.
        texts = len(table.rows) == 1 and all(isinstance(value, str) for value in table.rows[0].values())
        fits = bool(names) and (texts or sum(lengths.values()) + len(names) - 1 <= width)
    if not fits:
        raise NotUnderstoodError("objects as text that are empty or wider than the screen")


def _line(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"\n{value:%A, %d %B} {value.year:04} {value:%H:%M:%S}\n"
    return to_string(value) + "\n"


def _show_rows(table: _Table, width: int) -> str:
    if not table.rows or not table.rows[0]:
        return ""
    if table.entries:
        return _show_table(table.rows, width, _NAME_COLUMN, align=False)
    if len(table.rows[0]) > _MOST_COLUMNS:
        return "".join(map(_show_list, table.rows))
    return _show_table(table.rows, width, 0, align=True)


def _show_list(row: Mapping[str, object]) -> str:
    width = max(map(len, row))
    lines = [f"{name:<{width}} : {_cell(value)}".rstrip() for name, value in row.items()]
    return "\n" + "\n".join(lines) + "\n"


def _show_table(rows: Sequence[Mapping[str, object]], screen: int, first_width: int, *, align: bool) -> str:
    columns: list[_Column] = []
    left = screen
    for name in rows[0]:
        if left <= 0:
            # What does not fit is left out silently.
            break
        texts = [_cell(row.get(name), cents=align) for row in rows]
        width = min(max(first_width, len(name), *map(len, texts)), left)
        right = align and _is_right(rows[0][name])
        columns.append(_Column(name, width, right, [_cut(text, width) for text in texts]))
        left -= width + 1
        first_width = 0
    dashes = " ".join(column.fit("-" * len(column.name)) for column in columns)
    lines = [
        " ".join(column.fit(column.name) for column in columns).rstrip(),
        # Only where columns were left out the line goes on to the edge.
        dashes if len(columns) < len(rows[0]) else dashes.rstrip(),
    ]
    lines += [
        " ".join(column.fit(column.texts[row]) for column in columns).rstrip() for row in range(len(rows))
    ]
    return "\n" + "\n".join(lines) + "\n"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_right(value: object) -> bool:
    return isinstance(value, bool | int | float | Decimal)


def _cell(value: object, *, cents: bool = False) -> str:
    if cents and isinstance(value, float) and abs(value) < 1e15:
        return str(Decimal(value).quantize(_CENTS, ROUND_HALF_UP))
    if is_array(value):
        shown = [element_text(element) for element in value[:_MOST_ELEMENTS]]
        more = ["…"] if len(value) > _MOST_ELEMENTS else []
        return "{" + ", ".join(shown + more) + "}"
    if is_mapping(value) and not is_object(value):
        return "{" + ", ".join(map(to_string, value)) + "}"
    return element_text(value)
