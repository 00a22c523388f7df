"""The project's own scripts around a user's script, known by their text, and what they make of output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache

from attrs import define, frozen

from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.simulator.objects.json_output import structured
from srs_vsphere.simulator.transcript import ErrorRecord, Transcript

#: The parameter that holds the user's script.
WRAPPED = "__s"
NOTHING_FOUND = "the argument script found nothing"
_BATCH = 500
_BATCH_SECONDS = 0.1
_MOST_ERRORS = 50
_PLACEHOLDERS = {"DEPTH": r"(\d+)", "RUN": r"([^']*)", "WIDTH": r"(\d+)", "SCRIPT": r"(.*)"}


def recognised(name: str, script: str) -> tuple[str, ...] | None:
    """Return what stands in place of a script's placeholders, None if the text is another one.

    Args:
        name: which of the scripts.
        script: the text.
    """
    match = _pattern(name).fullmatch(script.strip())
    return match.groups() if match is not None else None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    text = re.escape(service_script(name).strip())
    for placeholder, pattern in _PLACEHOLDERS.items():
        text = text.replace(placeholder, pattern)
    return re.compile(text, re.DOTALL)


@frozen
class Wrapper:
    """A script around the user's one.

    Args:
        width: columns of text, for text output.
        depth: levels of .NET objects that are opened, for structured output.
        run: the name of the run, for structured output.
    """

    width: int | None = None
    depth: int | None = None
    run: str = ""


def unwrapped(
    script: str, values: Sequence[tuple[str, object]]
) -> tuple[str, list[tuple[str, object]], Wrapper | None]:
    """Return the user's own script with its parameters, and what was around it.

    Args:
        script: what was sent.
        values: the parameters that were sent.
    """
    wrapper: Wrapper | None = None
    if places := recognised("text-output", script):
        wrapper = Wrapper(width=int(places[0]))
    elif places := recognised("structured-output", script):
        # The name of the run stands before the depth.
        wrapper = Wrapper(depth=int(places[1]), run=places[0])
    inner = [value for name, value in values if name.lower() == WRAPPED]
    if wrapper is None or len(inner) != 1 or not isinstance(inner[0], str):
        return script, list(values), None
    return inner[0], [(name, value) for name, value in values if name.lower() != WRAPPED], wrapper


@define(eq=False)
class StructuredRun:
    """A run of a script for structured output, for the script that asks for the rest of it.

    Args:
        name: its name.
        values: what came out, with the times.
        errors: all errors.
        duration: how long it runs, in seconds.
        ended: whether it comes to its end by itself.
        told: whether the rest was asked for already.
    """

    name: str
    values: Sequence[tuple[float, object]] = ()
    errors: Sequence[ErrorRecord] = ()
    duration: float = 0.0
    ended: bool = False
    told: bool = False

    def texts(self) -> list[tuple[float, str]]:
        """Return the JSON texts that it puts out, with the times."""
        texts, rest = self._batches(self.duration)
        if self.ended:
            texts.append((self.duration, _json(self._last(rest, self.duration))))
        return texts

    def rest(self, name: str, until: float) -> str | None:
        """Return the JSON text of what was not put out, None if there is nothing to tell.

        Args:
            name: of which run.
            until: when that ended, in seconds after its start.
        """
        if name != self.name or self.told or (self.ended and until >= self.duration):
            return None
        self.told = True
        return _json(self._last(self._batches(until)[1], until))

    def _batches(self, until: float) -> tuple[list[tuple[float, str]], list[object]]:
        texts: list[tuple[float, str]] = []
        rest: list[object] = []
        since = 0.0
        for at, value in self.values:
            if at > until:
                break
            rest.append(value)
            if len(rest) >= _BATCH or at - since >= _BATCH_SECONDS:
                texts.append((at, _json(rest)))
                rest, since = [], at
        return texts, rest

    def _last(self, rest: list[object], until: float) -> Mapping[str, object]:
        errors = [_error(record) for record in self.errors if record.at <= until]
        return {"end": rest, "errors": errors[-_MOST_ERRORS:]}


def structured_run(
    wrapper: Wrapper, output: Sequence[tuple[float, object]], transcript: Transcript, *, ended: bool
) -> StructuredRun:
    """Return the run of a script for structured output.

    Args:
        wrapper: what was around the script.
        output: its objects, with the times.
        transcript: what it wrote, and when.
        ended: whether it came to its end by itself.
    """
    values = [(at, structured(value, wrapper.depth or 0)) for at, value in output]
    return StructuredRun(wrapper.run, values, list(transcript.errors), transcript.elapsed, ended)


def _error(record: ErrorRecord) -> dict[str, str]:
    error = record.error
    own = f"at <ScriptBlock>, <No file>: line {record.line}\n" if record.line else ""
    return {
        "message": error.message,
        "id": error.id,
        "category": error.category,
        "target": error.target,
        "type": error.kind,
        "trace": f"{own}at <ScriptBlock><End>, <No file>: line {_line_of_call()}",
    }


@cache
def _line_of_call() -> int:
    lines = service_script("structured-output").split("\n")
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(". $__srs.script"))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
