"""Argument scripts: small scripts that look up an object of vCenter for another script's parameter."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from srs_vsphere._sync.decoding import read_list, read_one
from srs_vsphere._sync.session import Session
from srs_vsphere._codec import models
from srs_vsphere._service import operations
from srs_vsphere._service.argument_script_templates import PlaceholderValues, render_request
from srs_vsphere._service.identity import TemplateRef, template_id
from srs_vsphere.models import ArgumentScript, ArgumentScriptTemplate

_read_template = read_one(ArgumentScriptTemplate)
_read_templates = read_list(ArgumentScriptTemplate)
_read_script = read_one(ArgumentScript)


class ArgumentScripts:
    """The service's argument scripts; reached as ``client.argument_scripts``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, timeout: float | None = None) -> builtins.list[ArgumentScriptTemplate]:
        """Return all templates, by id (``GET /api/argument-scripts/templates``).

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        operation = operations.ARGUMENT_SCRIPTS_TEMPLATES
        templates = self._session.call(operation, _read_templates, timeout=timeout)
        return sorted(templates, key=lambda template: template.id)

    def get(self, id: TemplateRef, *, timeout: float | None = None) -> ArgumentScriptTemplate:
        """Return one template (``GET /api/argument-scripts/templates/{id}``).

        Args:
            id: the template's id, such as ``vm-by-id-server-name``, or the template; letter case matters.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            NotFoundError: there is no such template.
            SrsError: the call failed.
        """
        return self._session.call(
            operations.ARGUMENT_SCRIPTS_TEMPLATE, _read_template, id=template_id(id), timeout=timeout
        )

    def templates(self, *, timeout: float | None = None) -> builtins.list[ArgumentScriptTemplate]:
        """Return all templates; another name of `list`.

        Args:
            timeout: as for `list`.

        Raises:
            SrsError: the call failed.
        """
        return self.list(timeout=timeout)

    def template(self, id: TemplateRef, *, timeout: float | None = None) -> ArgumentScriptTemplate:
        """Return one template; another name of `get`.

        Args:
            id: as for `get`.
            timeout: as for `get`.

        Raises:
            SrsError: as for `get`.
        """
        return self.get(id, timeout=timeout)

    def render(
        self,
        id: TemplateRef,
        values: PlaceholderValues | Sequence[PlaceholderValues],
        *,
        timeout: float | None = None,
    ) -> ArgumentScript:
        """Fill in a template (``POST /api/argument-scripts/script``).

        Each value arrives as one PowerShell text, apostrophes and all; nothing in it is run.

        Args:
            id: the template's id, or the template, which is then not asked for again.
            values: for each placeholder its text or texts; a sequence of such mappings makes a line of each,
                and the script finds several objects.
            timeout: seconds for each of the two requests; default the retry policy's deadline.

        Returns:
            The script, to be given as the value of a script's parameter.

        Raises:
            NotFoundError: there is no such template.
            TypeError: a value is no text.
            ValueError: a placeholder is left unfilled, or there is none of that name.
            SrsError: the call failed.
        """
        template = id if isinstance(id, ArgumentScriptTemplate) else self.get(id, timeout=timeout)
        body = models.dumps(render_request(template, values))
        operation = operations.ARGUMENT_SCRIPTS_SCRIPT
        return self._session.call(operation, _read_script, body=body, timeout=timeout)
