"""Commands on the templates of argument scripts."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import write_data
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.cli.showing import Column, View, show_list, show_one, text
from srs_vsphere.cli.table import Heading
from srs_vsphere.models import ArgumentScript, ArgumentScriptTemplate

_VIEW: View[ArgumentScriptTemplate] = View(
    columns=(
        Column(Heading("ID"), lambda template: template.id),
        Column(Heading("RESULT", flexible=True), lambda template: text(template.result_type)),
        Column(Heading("PLACEHOLDERS", flexible=True), lambda template: ", ".join(template.placeholders)),
    ),
    name=lambda template: template.id,
)
_SCRIPT: View[ArgumentScript] = View(columns=(), name=lambda script: script.script or "")


def list_templates(*, options: Shared = DEFAULTS) -> None:
    """List the templates, by id."""
    with open_client(options) as client:
        show_list(client.argument_scripts.list(), _VIEW, options)


def get(id: str, /, *, options: Shared = DEFAULTS) -> None:
    """Show one template.

    Args:
        id: its id; letter case matters.
    """
    with open_client(options) as client:
        show_one(client.argument_scripts.get(id), _VIEW, options)


def render(
    id: str,
    /,
    *,
    parameter: Annotated[
        tuple[str, ...], Parameter(name=("--parameter", "-p"), allow_leading_hyphen=True)
    ] = (),
    options: Shared = DEFAULTS,
) -> None:
    """Fill in a template, and write the script.

    Args:
        id: the template's id.
        parameter: a placeholder and its text: NAME=TEXT; repeated for a placeholder with several texts.
    """
    values: dict[str, list[str]] = {}
    for given in parameter:
        name, equals, value = given.partition("=")
        if not equals or not name:
            raise UsageError("-p", f"{given!r} is not NAME=TEXT")
        values.setdefault(name, []).append(value)
    with open_client(options) as client:
        script = client.argument_scripts.render(id, values)
    if options.output == "table":
        write_data([script.script or ""])
    else:
        show_one(script, _SCRIPT, options)
