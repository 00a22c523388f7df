"""The user's script inside one of ours: text as wide as asked for, and output as values."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.parameters import Parameters, exact, request_parameters

#: The parameter of the script around the user's one that holds it.
SCRIPT_PARAMETER = "__s"


@frozen
class WrappedScript:
    """A script to be sent.

    Args:
        script: its text.
        parameters: its ``script_parameters``, the user's own among them.
        run: the name of this run, by which the rest of its values can be asked for; None for text.
    """

    script: str
    parameters: list[dict[str, object]]
    run: str | None = None


def as_text(script: str, parameters: Parameters | None, width: int) -> WrappedScript:
    """Have a script's output formatted as wide as asked for; it must be sent for the text format.

    Args:
        script: the user's script.
        parameters: the user's parameters.
        width: columns of a line at most.

    Raises:
        TypeError: as for `request_parameters`.
        ValueError: as for `request_parameters`.
    """
    text = service_script("text-output").replace("WIDTH", str(width))
    return WrappedScript(text, [exact(SCRIPT_PARAMETER, script), *request_parameters(parameters)])


def as_values(script: str, parameters: Parameters | None, depth: int, run: str) -> WrappedScript:
    """Have a script put its output out as values; it must be sent for the json format.

    Args:
        script: the user's script.
        parameters: the user's parameters.
        depth: how many levels of .NET objects are opened.
        run: the name of this run, which nothing else has.

    Raises:
        TypeError: as for `request_parameters`.
        ValueError: as for `request_parameters`.
    """
    text = service_script("structured-output").replace("DEPTH", str(depth)).replace("RUN", run)
    parameters_sent = [exact(SCRIPT_PARAMETER, script), *request_parameters(parameters)]
    return WrappedScript(text, parameters_sent, run)


def rest_of(run: str) -> str:
    """Return the script that gives what a run had not put out when it was left; for the json format.

    Args:
        run: the name of the run.
    """
    return service_script("structured-rest").replace("RUN", run)
