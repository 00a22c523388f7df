"""What a script is given: parameters in the service's own form, and switches."""

from __future__ import annotations

from attrs import frozen


@frozen
class ScriptParameter:
    """A parameter exactly as the service takes it, for callers who want what the service does with it.

    Without value and script the parameter is a switch that is on. The service garbles lists, mappings and
    texts that look like dates; values given by name to ``run()`` arrive unchanged.

    Args:
        name: the parameter's name.
        value: its value, of what JSON can hold; None leaves it out.
        script: a script that runs first, gets the value as ``-argument``, and returns the real value.
    """

    name: str
    value: object = None
    script: str | None = None


@frozen
class Switch:
    """A switch parameter.

    Args:
        on: whether it is set; an unset one is sent as ``$false``, for switches that are on by default.
    """

    on: bool = True
