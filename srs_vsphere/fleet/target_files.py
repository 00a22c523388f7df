"""Targets from a CSV or TOML file, which names credentials and never holds them; and from profiles."""

from __future__ import annotations

import csv
import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from srs_vsphere._service.script_text import decoded
from srs_vsphere._validation import words_of
from srs_vsphere.auth import Auth
from srs_vsphere.errors import InvalidArgumentValueError
from srs_vsphere.fleet.target import Target
from srs_vsphere.profiles import find_settings
from srs_vsphere.tls import Tls

#: Settings of `Tls`; a file of targets has no secrets, and none of these is one.
_TRUST = ("ca_file", "thumbprint", "known_hosts", "server_hostname", "verify")
_PATHS = ("ca_file", "known_hosts")
_KNOWN = ("name", "url", "auth", *_TRUST)
#: What some would take for settings; as labels they would be shown.
_SECRETS = ("password", "api_key", "token", "secret")
_VERIFY = {"true": True, "false": False, "never": "never"}
_TABLE = re.compile(r"^\s*\[\[\s*target\s*\]\]")

_Row = dict[str, object]


def read_targets(
    path: str | os.PathLike[str], *, auth: Auth | Mapping[str, Auth] | None = None
) -> list[Target]:
    """Read targets from a file, all or none.

    The file is UTF-8 unless a byte order mark says otherwise. A CSV file has a line of headings: ``name`` and
    ``url``, perhaps ``auth`` and, as for `Tls`, ``ca_file``, ``thumbprint``, ``known_hosts``,
    ``server_hostname`` and ``verify``; every other column is a label, and one named ``password``, ``secret``,
    ``token`` or ``api_key`` is refused, for reports show labels. A TOML file has a ``[[target]]`` table
    for each, with the same members and perhaps a table ``labels``. Paths are relative to the file.

    Args:
        path: the file; its name ends in ``.csv`` or ``.toml``.
        auth: the credentials of all targets; or credentials by name, which a target's ``auth`` refers to,
            and ``""`` for those that name none. Default None.

    Returns:
        The targets, in the order of the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is of neither kind, or a line is wrong; the message has its number.
    """
    file = Path(path)
    text = decoded(file.read_bytes(), str(file))
    readers = {".csv": _csv_rows, ".toml": _toml_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InvalidArgumentValueError(f"{file}: targets are read from a .csv or a .toml file")
    targets: list[Target] = []
    lines: dict[str, int] = {}
    for line, row in reader(file, text):
        try:
            target = _target(row, file.parent, auth)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentValueError(f"{file}, line {line}: {words_of(error)}") from None
        if target.name in lines:
            raise InvalidArgumentValueError(
                f"{file}, line {line}: the name {target.name!r} is that of line {lines[target.name]}"
            )
        lines[target.name] = line
        targets.append(target)
    if not targets:
        raise InvalidArgumentValueError(f"{file}: it holds no target")
    return targets


def profile_targets(*names: str) -> list[Target]:
    """Make targets of profiles, as `AsyncSrsClient.from_env` reads them.

    Args:
        *names: the profiles; each target has its profile's name.

    Returns:
        The targets, in the order of the names.

    Raises:
        ValueError: a profile is not there or cannot be used, or ``SRS_URL`` is set, which goes before every
            profile's URL.
    """
    if os.environ.get("SRS_URL"):
        raise InvalidArgumentValueError("SRS_URL is set and goes before the URL of every profile: unset it")
    settings = {name: find_settings(profile=name, needs_retry=False) for name in names}
    return [Target(name, found.url, found.auth, found.tls) for name, found in settings.items()]


def _csv_rows(file: Path, text: str) -> Iterator[tuple[int, _Row]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    headings: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if headings is None:
                headings = [cell.strip() for cell in cells]
                # A spreadsheet may have empty columns behind the others.
                named = [heading for heading in headings if heading]
                if not {"name", "url"} <= set(named) or len(set(named)) < len(named):
                    raise InvalidArgumentValueError(
                        f"{file}, line {reader.line_num}: the headings must hold name and url,"
                        " separated by commas, and each once"
                    )
                continue
            if len(cells) != len(headings):
                raise InvalidArgumentValueError(
                    f"{file}, line {reader.line_num}: {len(cells)} cells under {len(headings)} headings"
                )
            found = {name: cell.strip() for name, cell in zip(headings, cells, strict=True) if cell.strip()}
            if "" in found:
                raise InvalidArgumentValueError(
                    f"{file}, line {reader.line_num}: there is a cell without a heading"
                )
            row: _Row = {name: cell for name, cell in found.items() if name in _KNOWN}
            row["labels"] = {name: cell for name, cell in found.items() if name not in _KNOWN}
            yield reader.line_num, row
    except csv.Error as error:
        raise InvalidArgumentValueError(f"{file}, line {reader.line_num}: {error}") from None


def _toml_rows(file: Path, text: str) -> Iterator[tuple[int, _Row]]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Its own words end with the line.
        raise InvalidArgumentValueError(f"{file}: {error}") from None
    found: object = document.pop("target", [])
    if document:
        unknown = ", ".join(sorted(document))
        raise InvalidArgumentValueError(f"{file}: there is no {unknown}; each target is a table [[target]]")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _TABLE.match(line)]
    if not isinstance(found, list):
        raise InvalidArgumentValueError(f"{file}: each target is a table [[target]]")
    for number, row in enumerate(cast("list[object]", found)):
        line = lines[number] if number < len(lines) else 1
        if not isinstance(row, dict):
            raise InvalidArgumentValueError(f"{file}, line {line}: each target is a table [[target]]")
        yield line, cast("_Row", row)


def _target(row: _Row, folder: Path, auth: Auth | Mapping[str, Auth] | None) -> Target:
    unknown = set(row) - {*_KNOWN, "labels"}
    if unknown:
        raise InvalidArgumentValueError(f"there is no setting {', '.join(sorted(unknown))}")
    for name in ("name", "url"):
        if name not in row:
            raise InvalidArgumentValueError(f"{name} is missing")
    return Target(
        name=cast("str", row["name"]),
        url=cast("str", row["url"]),
        auth=_auth(row.get("auth", ""), auth),
        tls=_tls(row, folder),
        labels=_labels(row.get("labels", {})),
    )


def _tls(row: _Row, folder: Path) -> Tls:
    # `Tls` checks their types itself.
    trust: dict[str, Any] = {name: row[name] for name in _TRUST if name in row}
    for name in _PATHS:
        if isinstance(path := trust.get(name), str) and path:
            trust[name] = str(folder / path)
    verify = trust.get("verify")
    if isinstance(verify, str):
        if verify.lower() not in _VERIFY:
            raise InvalidArgumentValueError("verify must be true, false or never")
        trust["verify"] = _VERIFY[verify.lower()]
    return Tls(**trust)


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InvalidArgumentValueError("labels must be a table")
    for name, text in cast("dict[object, object]", value).items():
        if isinstance(text, dict | list):
            raise InvalidArgumentValueError(f"label {name} must be a text or a number")
        if str(name).casefold() in _SECRETS:
            raise InvalidArgumentValueError(
                f"reports would show the label {name}: a file of targets holds no credentials"
            )
    return {str(name): str(text) for name, text in cast("dict[object, object]", value).items()}


def _auth(name: object, auth: Auth | Mapping[str, Auth] | None) -> Auth | None:
    if not isinstance(name, str):
        raise InvalidArgumentValueError("auth must be a name")
    if not isinstance(auth, Mapping):
        if name:
            raise InvalidArgumentValueError(
                f"auth names {name!r}, and read_targets() was given no credentials by name"
            )
        return auth
    found = auth.get(name)
    if found is None and name:
        raise InvalidArgumentValueError(f"auth names {name!r}, which is not among the credentials given")
    return found
