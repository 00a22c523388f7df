"""The service's resources as attrs classes with the service's own member names."""

from srs_vsphere._lazy_names import loading, modules_of_names

#: The public names by the module that defines them, loaded on first use; type checkers read the stub.
_MODULES = modules_of_names(
    __name__,
    {
        "about": "About",
        "argument_script": "ArgumentScript ArgumentScriptTemplate",
        "credential": "Credential",
        "error_details": "ErrorDetails",
        "error_record": "ErrorRecord",
        "plain_data": "converter from_dict to_dict",
        "ps_document": "PSDocument",
        "runspace": "Runspace RunspaceState",
        "script_execution": "OutputFormat ScriptExecution ScriptExecutionState",
        "script_parameter": "ScriptParameter Switch",
        "stream_record": "StreamGap StreamRecord StreamType",
        "web_console": "WebConsole WebConsoleState",
    },
)

__all__: list[str] = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll] - type checkers read the stub

__getattr__ = loading(__name__, _MODULES)


def __dir__() -> list[str]:
    return __all__
