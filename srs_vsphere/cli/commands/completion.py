"""The command that lets a shell complete the others; loaded on use, for cyclopts takes a while to load it."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts.completion.install import create_install_completion_command

from srs_vsphere.cli.app import app

install: Callable[..., None] = create_install_completion_command(app.install_completion, add_to_startup=True)
