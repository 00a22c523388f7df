"""Known-hosts files, as govc has them: a line is ``host:port thumbprint``, port 443 may be left out."""

from __future__ import annotations

import contextlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from srs_vsphere._validation import words_of
from srs_vsphere.certificate import host_and_port, normal_thumbprint
from srs_vsphere.errors import InvalidArgumentValueError


def known_thumbprint(paths: tuple[str, ...], host: str) -> str | None:
    """Look up the thumbprint of a host; of several lines for it the last counts.

    Args:
        paths: the known-hosts files.
        host: host and perhaps port.

    Returns:
        The thumbprint, or None if no file names the host.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line cannot be understood; the message names file and line.
    """
    wanted = host_and_port(host)
    found = None
    for path in paths:
        try:
            # Editors on Windows begin it with a mark, which is no part of the first host's name.
            text = Path(path).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise OSError(error.errno, f"known_hosts cannot be read: {error.strerror}", path) from error
        except UnicodeDecodeError:
            raise InvalidArgumentValueError(f"known_hosts {path} is not a text file") from None
        found = _read(path, text).get(wanted, found)
    return found


def remember(path: str | os.PathLike[str], host: str, thumbprint: str) -> None:
    """Write the thumbprint of a host into a known-hosts file, in place of an older one of that host.

    Args:
        path: the file; it and its folder are made if they do not exist.
        host: host and perhaps port.
        thumbprint: as `normal_thumbprint` writes it.

    Raises:
        OSError: the file cannot be read or written.
    """
    # Where it is a link, what that leads to is written anew, and the link stays.
    file = Path(os.path.realpath(path))
    wanted = host_and_port(host)
    lines: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    kept = [line for line in lines if not line.split() or host_and_port(line.split()[0]) != wanted]
    text = "".join(f"{line}\n" for line in [*kept, f"{wanted} {thumbprint}"])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, text)
    except OSError as error:
        # What it names is the new file, of which nobody knows.
        problem = f"known_hosts cannot be written: {error.strerror}"
        raise OSError(error.errno, problem, os.fspath(path)) from None


def _replace(file: Path, text: str) -> None:
    # Whoever reads it meanwhile finds the old file or the new one, never half of it.
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as new:
            new.write(text)
        if file.exists():
            Path(temporary).chmod(file.stat().st_mode & 0o777)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# By content, since a fleet reads the same file once for each of its hosts.
@lru_cache(maxsize=8)
def _read(path: str, text: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            host, thumbprint = words
            known[host_and_port(host)] = normal_thumbprint(thumbprint)
        except ValueError as error:
            problem = words_of(error) if len(words) == 2 else "a line is: host:port thumbprint"
            raise InvalidArgumentValueError(f"known_hosts {path}, line {number}: {problem}") from None
    return known
