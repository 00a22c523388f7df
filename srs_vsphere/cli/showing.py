"""Objects on standard output, in the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar, cast

from attrs import frozen

from srs_vsphere.cli.console import bold, width, write_data
from srs_vsphere.cli.data import as_data, to_json, to_yaml
from srs_vsphere.cli.durations import duration_text
from srs_vsphere.cli.options import Options
from srs_vsphere.cli.table import Heading, format_members, format_table

T = TypeVar("T")


@frozen(eq=False)
class Column(Generic[T]):
    """A column of a table.

    Args:
        heading: what stands above it.
        cell: makes a cell of an object.
    """

    heading: Heading
    cell: Callable[[T], str]


@frozen(eq=False)
class View(Generic[T]):
    """How objects of one kind are shown.

    Args:
        columns: of their table.
        name: what other commands take for one of them, mostly its id.
        data: what JSON and YAML hold of one; default all its members.
    """

    columns: tuple[Column[T], ...]
    name: Callable[[T], str]
    data: Callable[[T], object] = as_data


def show_list(items: Sequence[T], view: View[T], options: Options) -> None:
    """Write objects to standard output.

    Args:
        items: the objects.
        view: how they are shown.
        options: the command's options; they say in which form.
    """
    match options.output:
        case "name":
            write_data(view.name(item) for item in items)
        case "json":
            write_data([to_json([view.data(item) for item in items])])
        case "yaml":
            write_data([to_yaml([view.data(item) for item in items])])
        case "ndjson":
            write_data(to_json(view.data(item), indent=None) for item in items)
        case "table":
            rows = [[column.cell(item) for column in view.columns] for item in items]
            first, *rest = format_table([column.heading for column in view.columns], rows, width())
            write_data([bold(first, options), *rest])


def show_one(item: T, view: View[T], options: Options) -> None:
    """Write one object to standard output: all of it, as a table a line for each member.

    Args:
        item: the object.
        view: how it is shown.
        options: the command's options; they say in which form.
    """
    data = view.data(item)
    match options.output:
        case "name":
            write_data([view.name(item)])
        case "json":
            write_data([to_json(data)])
        case "yaml":
            write_data([to_yaml(data)])
        case "ndjson":
            write_data([to_json(data, indent=None)])
        case "table":
            write_data(format_members(_members(item, data)))


def text(value: object) -> str:
    """Write a value for a table: nothing for None, a time in this machine's zone.

    Args:
        value: what a model holds.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M")
        case _:
            return str(value)


def seconds_between(start: datetime | None, end: datetime | None) -> str:
    """Write how long something took; nothing if that is not known.

    Args:
        start: when it began.
        end: when it ended.
    """
    return "" if start is None or end is None else duration_text((end - start).total_seconds())


def _members(item: object, data: object) -> list[tuple[str, str]]:
    members: list[tuple[str, str]] = []
    for name, value in cast("dict[str, object]", data).items():
        if isinstance(value, dict):
            parts = cast("dict[str, object]", value).items()
            members += [(f"{name}.{part}", text(member)) for part, member in parts if member is not None]
        elif isinstance(value, list):
            members.append((name, ", ".join(text(member) for member in cast("list[object]", value))))
        else:
            # As the object itself has it, so that a time is shown in this machine's zone.
            members.append((name, text(getattr(item, name, value))))
    return members
