"""Argument scripts: small scripts that look up an object of vCenter for another script's parameter."""

from __future__ import annotations

from collections.abc import Sequence

from srs_vsphere._sync.decoding import read_list, read_one
from srs_vsphere._sync.session import Session
from srs_vsphere._codec import models
from srs_vsphere._service import operations
from srs_vsphere._service.argument_script_templates import PlaceholderValues, render_request
from srs_vsphere.models import ArgumentScript, ArgumentScriptTemplate

_read_template = read_one(ArgumentScriptTemplate)
_read_templates = read_list(ArgumentScriptTemplate)
_read_script = read_one(ArgumentScript)


class ArgumentScripts:
    """The service's argument scripts; reached as ``client.argument_scripts``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def templates(self) -> list[ArgumentScriptTemplate]:
        """Return all templates, by id (``GET /api/argument-scripts/templates``).

        Raises:
            SrsError: the call failed.
        """
        templates = self._session.call(operations.ARGUMENT_SCRIPTS_TEMPLATES, _read_templates)
        return sorted(templates, key=lambda template: template.id)

    def template(self, id: str) -> ArgumentScriptTemplate:
        """Return one template (``GET /api/argument-scripts/templates/{id}``).

        Args:
            id: the template's id, such as ``vm-by-id-server-name``; letter case matters.

        Raises:
            NotFoundError: there is no such template.
            SrsError: the call failed.
        """
        operation = operations.ARGUMENT_SCRIPTS_TEMPLATE
        return self._session.call(operation, _read_template, path=operation.path_for(id))

    def render(
        self, id: str, values: PlaceholderValues | Sequence[PlaceholderValues]
    ) -> ArgumentScript:
        """Fill in a template (``POST /api/argument-scripts/script``).

        Each value arrives as one PowerShell text, apostrophes and all; nothing in it is run.

        Args:
            id: the template's id.
            values: for each placeholder its text or texts; a sequence of such mappings makes a line of each,
                and the script finds several objects.

        Returns:
            The script, to be given as the value of a script's parameter.

        Raises:
            NotFoundError: there is no such template.
            TypeError: a value is no text.
            ValueError: a placeholder is left unfilled, or there is none of that name.
            SrsError: the call failed.
        """
        body = render_request(self.template(id), values)
        return self._session.call(
            operations.ARGUMENT_SCRIPTS_SCRIPT, _read_script, body=models.dumps(body)
        )
