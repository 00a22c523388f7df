"""The service's resources as attrs classes with the service's own member names."""

from importlib import import_module

#: The public names by the module that defines them, loaded on first use; type checkers read the stub.
_NAMES = {
    "about": ("About",),
    "argument_script": ("ArgumentScript", "ArgumentScriptTemplate"),
    "credential": ("Credential",),
    "error_details": ("ErrorDetails",),
    "error_record": ("ErrorRecord",),
    "plain_data": ("converter", "from_dict", "to_dict"),
    "ps_document": ("PSDocument",),
    "runspace": ("Runspace", "RunspaceState"),
    "script_execution": ("OutputFormat", "ScriptExecution", "ScriptExecutionState"),
    "script_parameter": ("ScriptParameter", "Switch"),
    "stream_record": ("StreamGap", "StreamRecord", "StreamType"),
    "web_console": ("WebConsole", "WebConsoleState"),
}

_MODULES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

__all__: list[str] = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll] - type checkers read the stub


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
