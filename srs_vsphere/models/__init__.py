"""The service's resources as attrs classes with the service's own member names."""

from srs_vsphere.models.about import About
from srs_vsphere.models.argument_script import ArgumentScript, ArgumentScriptTemplate
from srs_vsphere.models.credential import Credential
from srs_vsphere.models.error_details import ErrorDetails
from srs_vsphere.models.error_record import ErrorRecord
from srs_vsphere.models.plain_data import converter, from_dict, to_dict
from srs_vsphere.models.ps_document import PSDocument
from srs_vsphere.models.runspace import Runspace, RunspaceState
from srs_vsphere.models.script_execution import OutputFormat, ScriptExecution, ScriptExecutionState
from srs_vsphere.models.script_parameter import ScriptParameter, Switch
from srs_vsphere.models.stream_record import StreamGap, StreamRecord, StreamType
from srs_vsphere.models.web_console import WebConsole, WebConsoleState

__all__ = [
    "About",
    "ArgumentScript",
    "ArgumentScriptTemplate",
    "Credential",
    "ErrorDetails",
    "ErrorRecord",
    "OutputFormat",
    "PSDocument",
    "Runspace",
    "RunspaceState",
    "ScriptExecution",
    "ScriptExecutionState",
    "ScriptParameter",
    "StreamGap",
    "StreamRecord",
    "StreamType",
    "Switch",
    "WebConsole",
    "WebConsoleState",
    "converter",
    "from_dict",
    "to_dict",
]
