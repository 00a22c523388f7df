"""Argument scripts: small scripts, made from templates, that look up an object for a parameter."""

from __future__ import annotations

from attrs import field, frozen

from srs_vsphere.models.model import Model, texts


@frozen
class ArgumentScriptTemplate(Model):
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
    placeholders: tuple[str, ...] = field(default=(), converter=texts)


@frozen
class ArgumentScript(Model):
    """A script that finds a parameter's value on the server, such as a template filled in.

    If it finds nothing, the script that it is for fails without having started, and the reason names the
    parameter. One that leaves with ``exit`` still hands on ``True``, as the service has it.

    Args:
        script: the finished script.
        allow_nothing: whether the service may have its way with what finds nothing: the script then starts,
            and gets ``True`` for the parameter, also where a cmdlet of this script is unknown; default False.
    """

    script: str | None = None
    allow_nothing: bool = False
