"""Asyncio-native client for VMware Script Runtime Service for vSphere.

Names load their module on first use, so that importing the package costs next to nothing and a program
pays for the async client, the sync client or the models only if it uses them.
"""

import importlib
from typing import TYPE_CHECKING

from srs_vsphere._version import __version__

if TYPE_CHECKING:
    from srs_vsphere._argument_scripts import PlaceholderValues
    from srs_vsphere._async.argument_scripts import AsyncArgumentScripts
    from srs_vsphere._async.client import AsyncSrsClient
    from srs_vsphere._async.following import AsyncScriptRecords
    from srs_vsphere._async.opening import AsyncRunspaceHandle, AsyncRunspaceOpening
    from srs_vsphere._async.pool import AsyncRunspaceLease, AsyncRunspacePool
    from srs_vsphere._async.reading import AsyncObjects
    from srs_vsphere._async.runspaces import AsyncRunspaces
    from srs_vsphere._async.script_executions import AsyncScriptExecutions
    from srs_vsphere._async.streaming import AsyncObjectStream
    from srs_vsphere._async.web_consoles import AsyncWebConsoles
    from srs_vsphere._crew import AsyncCrew, Crew
    from srs_vsphere._jobs import ClientRunOptions, RunOptions
    from srs_vsphere._sync.argument_scripts import ArgumentScripts
    from srs_vsphere._sync.client import SrsClient
    from srs_vsphere._sync.following import ScriptRecords
    from srs_vsphere._sync.opening import RunspaceHandle, RunspaceOpening
    from srs_vsphere._sync.pool import RunspaceLease, RunspacePool
    from srs_vsphere._sync.reading import Objects
    from srs_vsphere._sync.runspaces import Runspaces
    from srs_vsphere._sync.script_executions import ScriptExecutions
    from srs_vsphere._sync.streaming import ObjectStream
    from srs_vsphere._sync.web_consoles import WebConsoles
    from srs_vsphere.auth import ApiKeyAuth, Auth, BasicAuth, Secret
    from srs_vsphere.errors import (
        ApiError,
        AuthenticationError,
        ConnectionFailedError,
        DecodeError,
        InvalidRequestError,
        NotFoundError,
        NotSentError,
        OutcomeUnknownError,
        QuotaExceededError,
        RunspaceBusyError,
        RunspaceNotReadyError,
        ScriptFailedError,
        ServerError,
        SrsError,
        StreamInterruptedError,
        TransportError,
        WaitTimeoutError,
    )
    from srs_vsphere.models import (
        About,
        ArgumentScript,
        ArgumentScriptTemplate,
        ErrorDetails,
        OutputFormat,
        PSDocument,
        Runspace,
        RunspaceState,
        ScriptExecution,
        ScriptExecutionState,
        ScriptParameter,
        StreamGap,
        StreamRecord,
        StreamType,
        Switch,
        WebConsole,
        WebConsoleState,
    )
    from srs_vsphere.parameters import Parameters, ParameterValue
    from srs_vsphere.results import PoolResult, ScriptOutcome, ScriptResult
    from srs_vsphere.retry import Decision, Outcome, RetryEvent, RetryPolicy, Sent, decide
    from srs_vsphere.settings import Timeouts
    from srs_vsphere.tls import Tls

__all__ = [
    "About",
    "ApiError",
    "ApiKeyAuth",
    "ArgumentScript",
    "ArgumentScriptTemplate",
    "ArgumentScripts",
    "AsyncArgumentScripts",
    "AsyncCrew",
    "AsyncObjectStream",
    "AsyncObjects",
    "AsyncRunspaceHandle",
    "AsyncRunspaceLease",
    "AsyncRunspaceOpening",
    "AsyncRunspacePool",
    "AsyncRunspaces",
    "AsyncScriptExecutions",
    "AsyncScriptRecords",
    "AsyncSrsClient",
    "AsyncWebConsoles",
    "Auth",
    "AuthenticationError",
    "BasicAuth",
    "ClientRunOptions",
    "ConnectionFailedError",
    "Crew",
    "Decision",
    "DecodeError",
    "ErrorDetails",
    "InvalidRequestError",
    "NotFoundError",
    "NotSentError",
    "ObjectStream",
    "Objects",
    "Outcome",
    "OutcomeUnknownError",
    "OutputFormat",
    "PSDocument",
    "ParameterValue",
    "Parameters",
    "PlaceholderValues",
    "PoolResult",
    "QuotaExceededError",
    "RetryEvent",
    "RetryPolicy",
    "RunOptions",
    "Runspace",
    "RunspaceBusyError",
    "RunspaceHandle",
    "RunspaceLease",
    "RunspaceNotReadyError",
    "RunspaceOpening",
    "RunspacePool",
    "RunspaceState",
    "Runspaces",
    "ScriptExecution",
    "ScriptExecutionState",
    "ScriptExecutions",
    "ScriptFailedError",
    "ScriptOutcome",
    "ScriptParameter",
    "ScriptRecords",
    "ScriptResult",
    "Secret",
    "Sent",
    "ServerError",
    "SrsClient",
    "SrsError",
    "StreamGap",
    "StreamInterruptedError",
    "StreamRecord",
    "StreamType",
    "Switch",
    "Timeouts",
    "Tls",
    "TransportError",
    "WaitTimeoutError",
    "WebConsole",
    "WebConsoleState",
    "WebConsoles",
    "__version__",
    "decide",
]

_HOMES = {
    "About": "srs_vsphere.models",
    "ApiError": "srs_vsphere.errors",
    "ApiKeyAuth": "srs_vsphere.auth",
    "ArgumentScript": "srs_vsphere.models",
    "ArgumentScriptTemplate": "srs_vsphere.models",
    "ArgumentScripts": "srs_vsphere._sync.argument_scripts",
    "AsyncArgumentScripts": "srs_vsphere._async.argument_scripts",
    "AsyncCrew": "srs_vsphere._crew",
    "AsyncObjectStream": "srs_vsphere._async.streaming",
    "AsyncObjects": "srs_vsphere._async.reading",
    "AsyncRunspaceHandle": "srs_vsphere._async.opening",
    "AsyncRunspaceLease": "srs_vsphere._async.pool",
    "AsyncRunspaceOpening": "srs_vsphere._async.opening",
    "AsyncRunspacePool": "srs_vsphere._async.pool",
    "AsyncRunspaces": "srs_vsphere._async.runspaces",
    "AsyncScriptExecutions": "srs_vsphere._async.script_executions",
    "AsyncScriptRecords": "srs_vsphere._async.following",
    "AsyncSrsClient": "srs_vsphere._async.client",
    "AsyncWebConsoles": "srs_vsphere._async.web_consoles",
    "Auth": "srs_vsphere.auth",
    "AuthenticationError": "srs_vsphere.errors",
    "BasicAuth": "srs_vsphere.auth",
    "ClientRunOptions": "srs_vsphere._jobs",
    "ConnectionFailedError": "srs_vsphere.errors",
    "Crew": "srs_vsphere._crew",
    "Decision": "srs_vsphere.retry",
    "DecodeError": "srs_vsphere.errors",
    "ErrorDetails": "srs_vsphere.models",
    "InvalidRequestError": "srs_vsphere.errors",
    "NotFoundError": "srs_vsphere.errors",
    "NotSentError": "srs_vsphere.errors",
    "ObjectStream": "srs_vsphere._sync.streaming",
    "Objects": "srs_vsphere._sync.reading",
    "Outcome": "srs_vsphere.retry",
    "OutcomeUnknownError": "srs_vsphere.errors",
    "OutputFormat": "srs_vsphere.models",
    "PSDocument": "srs_vsphere.models",
    "ParameterValue": "srs_vsphere.parameters",
    "Parameters": "srs_vsphere.parameters",
    "PlaceholderValues": "srs_vsphere._argument_scripts",
    "PoolResult": "srs_vsphere.results",
    "QuotaExceededError": "srs_vsphere.errors",
    "RetryEvent": "srs_vsphere.retry",
    "RetryPolicy": "srs_vsphere.retry",
    "RunOptions": "srs_vsphere._jobs",
    "Runspace": "srs_vsphere.models",
    "RunspaceBusyError": "srs_vsphere.errors",
    "RunspaceHandle": "srs_vsphere._sync.opening",
    "RunspaceLease": "srs_vsphere._sync.pool",
    "RunspaceNotReadyError": "srs_vsphere.errors",
    "RunspaceOpening": "srs_vsphere._sync.opening",
    "RunspacePool": "srs_vsphere._sync.pool",
    "RunspaceState": "srs_vsphere.models",
    "Runspaces": "srs_vsphere._sync.runspaces",
    "ScriptExecution": "srs_vsphere.models",
    "ScriptExecutionState": "srs_vsphere.models",
    "ScriptExecutions": "srs_vsphere._sync.script_executions",
    "ScriptFailedError": "srs_vsphere.errors",
    "ScriptOutcome": "srs_vsphere.results",
    "ScriptParameter": "srs_vsphere.models",
    "ScriptRecords": "srs_vsphere._sync.following",
    "ScriptResult": "srs_vsphere.results",
    "Secret": "srs_vsphere.auth",
    "Sent": "srs_vsphere.retry",
    "ServerError": "srs_vsphere.errors",
    "SrsClient": "srs_vsphere._sync.client",
    "SrsError": "srs_vsphere.errors",
    "StreamGap": "srs_vsphere.models",
    "StreamInterruptedError": "srs_vsphere.errors",
    "StreamRecord": "srs_vsphere.models",
    "StreamType": "srs_vsphere.models",
    "Switch": "srs_vsphere.models",
    "Timeouts": "srs_vsphere.settings",
    "Tls": "srs_vsphere.tls",
    "TransportError": "srs_vsphere.errors",
    "WaitTimeoutError": "srs_vsphere.errors",
    "WebConsole": "srs_vsphere.models",
    "WebConsoleState": "srs_vsphere.models",
    "WebConsoles": "srs_vsphere._sync.web_consoles",
    "decide": "srs_vsphere.retry",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
