"""What a benchmark found: a table to print and the same numbers for a JSON file."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib import metadata

from attrs import Factory, define

_PACKAGES = (
    "srs-vsphere",
    "httpx",
    "httpcore",
    "httptools",
    "attrs",
    "cattrs",
    "anyio",
    "aiohttp",
    "urllib3",
    "uvloop",
    "pydantic",
    "openapi-python-client",
    "openapi-generator-cli",
)


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@define
class Table:
    """Rows under a title.

    Args:
        title: what was measured, and in what unit.
        columns: headings; the first is that of the rows' names.
        rows: texts, as many as there are columns.
        notes: what a reader should know, such as why a row is missing.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = Factory(list)
    notes: list[str] = Factory(list)

    def show(self) -> None:
        """Print it, as Markdown that reads well as it is."""
        widths = [max(len(row[at]) for row in (self.columns, *self.rows)) for at in range(len(self.columns))]
        say(f"\n{self.title}\n")
        for row in (self.columns, tuple("-" * width for width in widths), *self.rows):
            cells = [
                text.ljust(width) if at == 0 else text.rjust(width)
                for at, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            say(f"| {' | '.join(cells)} |")
        for note in self.notes:
            say(f"- {note}")


@define
class Bound:
    """A number that was promised, beside the one that was measured.

    Args:
        what: in a few words.
        measured: the number.
        most: it should not exceed this.
        unit: of both.
    """

    what: str
    measured: float
    most: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.measured <= self.most

    def __str__(self) -> str:
        verdict = "kept" if self.kept else "MISSED"
        return f"{self.what}: {self.measured:.3g}{self.unit}, bound {self.most:g}{self.unit}: {verdict}"


@define
class Result:
    """All that one benchmark found.

    Args:
        name: of the benchmark.
        tables: to be printed.
        bounds: what was promised.
        numbers: everything measured, for JSON.
    """

    name: str
    tables: list[Table] = Factory(list)
    bounds: list[Bound] = Factory(list)
    numbers: dict[str, object] = Factory(dict)

    def show(self) -> None:
        """Print it."""
        for table in self.tables:
            table.show()
        if self.bounds:
            say()
        for bound in self.bounds:
            say(str(bound))

    def as_json(self) -> dict[str, object]:
        """Return it as what JSON can hold."""
        bounds = [
            {"what": bound.what, "measured": bound.measured, "most": bound.most, "kept": bound.kept}
            for bound in self.bounds
        ]
        return {"bounds": bounds, **self.numbers}


def surroundings() -> dict[str, object]:
    """Say when and where this is measured, and with which releases."""
    versions: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }
