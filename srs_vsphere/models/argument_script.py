"""Argument scripts: small scripts, made from templates, that look up an object for a parameter."""

from __future__ import annotations

from attrs import define, field


@define
class ArgumentScriptTemplate:
    """A script with placeholders.

    Args:
        id: what the service calls it; letter case matters.
        script_runtime: what runs it.
        result_type: .NET type of what it finds.
        script_template: its text, with placeholders in angle brackets.
        placeholders: their names.
    """

    id: str
    script_runtime: str | None = None
    result_type: str | None = None
    script_template: str | None = None
    placeholders: list[str] = field(factory=list[str])


@define
class ArgumentScript:
    """A template with its placeholders filled in, to be given as a parameter's value.

    Args:
        script: the finished script.
    """

    script: str | None = None
