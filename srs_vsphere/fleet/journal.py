"""Which hosts a script has run on, in a file that outlives the program: one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Self, cast

from srs_vsphere._codec.strict_json import loads
from srs_vsphere.errors import InvalidArgumentValueError

_FORMAT = "srs_vsphere fleet journal 1"


class Journal:
    """A file to which each line is written, and brought to the disk, before what follows it is done.

    A last line that was cut off by a crash is dropped when the file is opened again.

    Args:
        path: the file; made if it is not there.
        job: what is run, so that a journal is not taken for that of another script.

    Attributes:
        begun: by host, the name of the script execution that was begun there.
        ended: by host, how it ended, for those of which that is known.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no journal, or that of another script; the message has the line.
    """

    def __init__(self, path: str | os.PathLike[str], job: str) -> None:
        self.path: Path = Path(path)
        self.begun: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self._lock = Lock()
        self._file: BinaryIO | None = None
        length = self._read(job)
        file = self.path.open("ab")
        try:
            if file.tell() > length:
                file.truncate(length)
            self._file = file
            if not length:
                self._write({"format": _FORMAT, "job": job})
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def begin(self, host: str, execution: str) -> None:
        """Note that a script is about to be run on a host; this waits for the disk.

        Args:
            host: the target's name.
            execution: name of the script execution, which no other has.
        """
        self._write({"host": host, "begun": execution, "at": datetime.now(UTC).isoformat()})

    def end(self, host: str, outcome: str) -> None:
        """Note that the script has run on a host; this waits for the disk.

        Args:
            host: the target's name.
            outcome: how it ended, in a word.
        """
        self._write({"host": host, "ended": outcome, "at": datetime.now(UTC).isoformat()})

    def _write(self, entry: Mapping[str, object]) -> None:
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            if self._file is None:
                raise ValueError(f"the journal {self.path} is closed")
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _read(self, job: str) -> int:
        """Read what is there; return how many bytes are whole lines."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            entry: dict[str, object] = {}
            with suppress(ValueError):
                found = loads(line)
                entry = cast("dict[str, object]", found) if isinstance(found, dict) else {}
            if number == 1:
                if entry.get("format") != _FORMAT:
                    raise InvalidArgumentValueError(f"{self.path}, line 1: this is no {_FORMAT}")
                if entry.get("job") != job:
                    raise InvalidArgumentValueError(
                        f"{self.path}, line 1: this is the journal of another script or other parameters;"
                        " give each its own"
                    )
                continue
            host, begun, ended = entry.get("host"), entry.get("begun"), entry.get("ended")
            if isinstance(host, str) and isinstance(begun, str):
                self.begun[host] = begun
            elif isinstance(host, str) and isinstance(ended, str):
                self.ended[host] = ended
            else:
                raise InvalidArgumentValueError(f"{self.path}, line {number}: this is no line of a journal")
        return len(whole)
