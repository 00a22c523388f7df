"""Which hosts a script has run on, in a file that outlives the program: one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Self, cast

from srs_vsphere._codec.strict_json import loads
from srs_vsphere._service.file_lock import lock
from srs_vsphere.errors import InvalidArgumentValueError

_log = logging.getLogger("srs_vsphere")

_FORMAT = "srs_vsphere fleet journal 1"


class Journal:
    """A file to which each line is written, and brought to the disk, before what follows it is done.

    A last line that was cut off by a crash is dropped when the file is opened again. No other journal can be
    opened with the same file meanwhile, as far as the file system knows locks.

    Args:
        path: the file; made if it is not there.
        job: what is run, so that a journal is not taken for that of another script.

    Attributes:
        begun: by host, the name of the script execution that was begun there.
        ended: by host, how it ended, for those of which that is known.
        problem: why a line could not be written, such as for a full disk; None as long as all were.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no journal, or that of another script, and the message has the line; or another run
            has it open.
    """

    def __init__(self, path: str | os.PathLike[str], job: str) -> None:
        self.path: Path = Path(path)
        self.begun: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.problem: OSError | None = None
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._length = 0
        header = _line({"format": _FORMAT, "job": job})
        # Without a buffer, for what could not be written is not to be tried again on closing it.
        file = self.path.open("ab", buffering=0)
        try:
            # Before it is read, or what another run writes meanwhile would be missed.
            self._take_lock(file.fileno())
            content = self.path.read_bytes()
            self._length = self._read(content, header, job)
            if len(content) > self._length:
                file.truncate(self._length)
            self._file = file
            if not self._length:
                self._write(header)
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

        Raises:
            OSError: it cannot be written.
        """
        self._write(_line({"host": host, "begun": execution, "at": datetime.now(UTC).isoformat()}))

    def end(self, host: str, outcome: str) -> None:
        """Note that the script has run on a host; this waits for the disk.

        If that cannot be written, it is in `problem` and not raised: the script's result is worth more.

        Args:
            host: the target's name.
            outcome: how it ended, in a word.
        """
        with suppress(OSError):
            self._write(_line({"host": host, "ended": outcome, "at": datetime.now(UTC).isoformat()}))

    def _take_lock(self, descriptor: int) -> None:
        try:
            lock(descriptor)
        except (BlockingIOError, PermissionError):
            raise InvalidArgumentValueError(
                f"{self.path}: another run has this journal open; wait for its end, or give each its own"
            ) from None
        except OSError as error:
            # As on a network drive that has no locks; the journal itself can be written there.
            _log.warning("the journal %s could not be locked against other runs: %s", self.path, error)

    def _write(self, line: bytes) -> None:
        with self._lock:
            if self._file is None:
                raise ValueError(f"the journal {self.path} is closed")
            try:
                if self.problem is not None:
                    # Half of a line may be there.
                    self._file.truncate(self._length)
                left = line
                while left:
                    left = left[self._file.write(left) :]
                os.fsync(self._file.fileno())
            except OSError as error:
                self.problem = OSError(error.errno, error.strerror, str(self.path))
                raise self.problem from None
            self._length += len(line)

    def _read(self, content: bytes, header: bytes, job: str) -> int:
        """Read what is there; return how many bytes are whole lines."""
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and not header.startswith(content):
            # A file of something else, which is not to be cut off.
            raise InvalidArgumentValueError(f"{self.path}, line 1: this is no {_FORMAT}")
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


def _line(entry: Mapping[str, object]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
