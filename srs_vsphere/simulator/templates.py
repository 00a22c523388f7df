"""Argument script templates: lines of PowerCLI with placeholders, and what becomes of them when filled in."""

from __future__ import annotations

from srs_vsphere.simulator.answers import INTERNAL_ERROR, Json, error_reply, json_reply
from srs_vsphere.simulator.bodies import RenderBody
from srs_vsphere.simulator.exchange import Reply

#: What filling a template in may write; beyond that the service's memory would end too.
_MOST_CHARACTERS = 16_000_000

_CORE = "VMware.VimAutomation.Types."
_V1 = "VMware.VimAutomation.ViCore.Types.V1."
_VDS = "VMware.VimAutomation.Vds.Types.V1."

#: Kind of object, the noun of the cmdlet that gets it, and the type of what that returns.
_KINDS = (
    ("cluster", "Cluster", _CORE + "Cluster"),
    ("contentlibrary", "ContentLibrary", _V1 + "ContentLibrary.ContentLibrary"),
    ("contentlibraryitem", "ContentLibraryItem", _V1 + "ContentLibrary.ContentLibraryItem"),
    ("datacenter", "Datacenter", _CORE + "Datacenter"),
    ("datastore", "Datastore", _V1 + "DatastoreManagement.Datastore"),
    ("datastorecluster", "DatastoreCluster", _V1 + "DatastoreManagement.DatastoreCluster"),
    ("folder", "Folder", _CORE + "Folder"),
    ("network", "VirtualNetwork", _V1 + "Network.Network"),
    ("resourcepool", "ResourcePool", _CORE + "ResourcePool"),
    ("template", "Template", _CORE + "Template"),
    ("vapp", "VApp", _CORE + "VApp"),
    ("vdportgroup", "VDPortgroup", _VDS + "VDPortgroup"),
    ("vdswitch", "VDSwitch", _VDS + "VDSwitch"),
    ("vm", "VM", _CORE + "VirtualMachine"),
    ("vmhost", "VMHost", _CORE + "VMHost"),
    ("vmhostprofile", "VMHostProfile", _V1 + "Host.Profile.VMHostProfile"),
)
_BY_UUID = "($global:DefaultVIServers | Where-Object { $_.InstanceUuid -eq <server_instance_uuid> })"


def _template(id: str, result_type: str, text: str, *placeholders: str) -> dict[str, Json]:
    return {
        "id": id,
        "script_runtime": "PowerCLI",
        "result_type": result_type,
        "script_template": text,
        "placeholders": placeholders,
    }


def _all() -> dict[str, dict[str, Json]]:
    templates = [_template("date-by-string", "System.DateTime", "Get-Date -Date <value>", "value")]
    for kind, noun, result_type in _KINDS:
        # The service has a typing error in this one.
        named = f"V{result_type}" if kind == "vdswitch" else result_type
        text = f"Get-{noun} -Id <id> -Server "
        templates += [
            _template(f"{kind}-by-id-server-name", named, text + "<server>", "id", "server"),
            _template(
                f"{kind}-by-id-server-instance-uuid",
                result_type,
                text + _BY_UUID,
                "id",
                "server_instance_uuid",
            ),
        ]
    return {str(template["id"]): template for template in templates}


_TEMPLATES = _all()


def list_templates() -> Reply:
    """Answer with all templates."""
    return json_reply(list(_TEMPLATES.values()))


def get_template(id: str) -> Reply:
    """Answer with one template.

    Args:
        id: its id, in its own letter case.
    """
    template = _TEMPLATES.get(id)
    return _not_found(id) if template is None else json_reply(template)


def render(body: RenderBody) -> Reply:
    """Answer with a template that was filled in, with all the faults that the service makes.

    Nothing is quoted: an apostrophe in a value ends the text that it is in. And a value is filled in once
    more when
    it holds the placeholder of a later one.

    Args:
        body: the template and the values.
    """
    template = _TEMPLATES.get(body.template_id)
    if template is None:
        return _not_found(body.template_id)
    text = str(template["script_template"])
    written = 0
    lines: list[str] = []
    echoed: list[Json] = []
    for placeholders in body.lists:
        if placeholders is None:
            return INTERNAL_ERROR
        line = text
        values: list[Json] = []
        for placeholder in placeholders:
            if placeholder is None:
                return INTERNAL_ERROR
            name, texts = placeholder
            value = "'" + "','".join(text or "" for text in texts) + "'"
            # A value that holds its own placeholder twice doubles the line, as often as it is named.
            written += len(line) + line.count(f"<{name}>") * len(value)
            if written > _MOST_CHARACTERS:
                return INTERNAL_ERROR
            line = line.replace(f"<{name}>", value)
            values.append({"placeholder_name": name, "value": texts})
        echoed.append({"values": values})
        if placeholders:
            lines.append(line)
    members: dict[str, Json] = {"template_id": text, "template_placeholder_value_list": echoed}
    if body.lists:
        members["script"] = "\n".join(lines).strip()
    return json_reply(members)


def _not_found(id: str) -> Reply:
    return error_reply(404, 4010, f"Argument transformation script not found for '{id}'")
