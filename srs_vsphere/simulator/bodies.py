"""The bodies that the service takes, as values."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere.simulator.binding import Body, bind
from srs_vsphere.simulator.exchange import Request
from srs_vsphere.simulator.lenient_json import Value

#: The formats of output objects, in the order of their numbers.
FORMATS = ("text", "json")


@frozen
class RunspaceBody:
    """What a request for a runspace says.

    Args:
        name: what to call it.
        connected: whether to connect it to vCenter.
    """

    name: str | None
    connected: bool


@frozen
class ParameterBody:
    """One parameter of a script.

    Args:
        name: its name.
        value: its value; None when it is null or absent.
        script: a script that makes the value, from the given one if there is one.
    """

    name: str
    value: Value
    script: str | None


@frozen
class ScriptBody:
    """What a request to run a script says.

    Args:
        runspace_id: where to run it.
        script: its text.
        name: what to call the execution.
        format: the number of the output's format.
        parameters: its parameters; an element may be null.
    """

    runspace_id: str
    script: str
    name: str | None = None
    format: int = 0
    parameters: tuple[ParameterBody | None, ...] = ()


@frozen
class RenderBody:
    """What a request to fill in an argument script template says.

    Args:
        template_id: which.
        lists: for each line of the result its placeholders with their values; None where null was sent.
    """

    template_id: str
    lists: tuple[tuple[tuple[str, list[str | None]] | None, ...] | None, ...]


def read_runspace(request: Request) -> RunspaceBody:
    """Read a request for a runspace.

    Args:
        request: the request.

    Raises:
        BindingError: it cannot be read.
    """
    body, binder = bind(request, "Runspace")
    name = body.text("name")
    connected = body.flag("run_vc_connection_script")
    body.time("creation_time")
    binder.check()
    return RunspaceBody(name, connected)


def read_script(request: Request) -> ScriptBody:
    """Read a request to run a script.

    Args:
        request: the request.

    Raises:
        BindingError: it cannot be read.
    """
    body, binder = bind(request, "ScriptExecution")
    runspace_id = body.text("runspace_id", required_as="RunspaceId")
    script = body.text("script", required_as="Script")
    name = body.text("name")
    number = body.choice("output_objects_format", "OutputObjectsFormat", FORMATS)
    elements = body.objects("script_parameters", "ScriptParameter", "ScriptParameters", required=False)
    parameters = [None if element is None else _parameter(element) for element in elements or ()]
    binder.check()
    return ScriptBody(runspace_id or "", script or "", name, number, tuple(parameters))


def _parameter(body: Body) -> ParameterBody:
    value = body.any("value")
    return ParameterBody(
        name=body.text("name", required_as="Name") or "",
        value=None if value is None else value.value(),
        script=body.text("script"),
    )


def read_render(request: Request) -> RenderBody:
    """Read a request to fill in an argument script template.

    Args:
        request: the request.

    Raises:
        BindingError: it cannot be read.
    """
    body, binder = bind(request, "ArgumentScript")
    template_id = body.text("template_id", required_as="TemplateId")
    member = "template_placeholder_value_list"
    elements = body.objects(member, "PlaceholderValueList", "PlaceholderValueList", required=True)
    lists = [None if element is None else _placeholders(element) for element in elements or ()]
    binder.check()
    return RenderBody(template_id or "", tuple(lists))


def _placeholders(body: Body) -> tuple[tuple[str, list[str | None]] | None, ...]:
    elements = body.objects("values", "PlaceholderValue", "Values", required=True)
    return tuple(
        None
        if element is None
        else (
            element.text("placeholder_name", required_as="PlaceholderName") or "",
            element.texts("value", "Value"),
        )
        for element in elements or ()
    )
