"""Async and sync client for VMware's Script Runtime Service for vSphere.

::

    from srs_vsphere import BasicAuth, SrsClient

    with SrsClient("https://srs.example.com", auth=BasicAuth("alice@vsphere.local", "secret")) as client:
        print(client.run("Get-Date").output)

Begin with `SrsClient` or `AsyncSrsClient`; `SrsFleet` and `AsyncSrsFleet` are for many hosts,
`srs_vsphere.simulator` is for tests. All errors are `SrsError`.

Names load their module on first use, so that importing the package costs next to nothing and a program
pays for the async client, the sync client or the models only if it uses them. Type checkers read
``__init__.pyi``.
"""

from srs_vsphere._lazy_names import loading, modules_of_names
from srs_vsphere._version import __version__ as __version__

#: The public names by the module that defines them.
_MODULES = modules_of_names(
    __name__,
    {
        "_async.argument_scripts": "AsyncArgumentScripts",
        "_async.client": "AsyncSrsClient",
        "_async.decoding": "AsyncObjects",
        "_async.object_stream": "AsyncObjectStream",
        "_async.runspace_block": "AsyncRunspaceBlock",
        "_async.runspace_handle": "AsyncRunspaceHandle",
        "_async.runspace_pool": "AsyncRunspaceLease AsyncRunspacePool",
        "_async.runspaces": "AsyncRunspaces",
        "_async.script_executions": "AsyncScriptExecutions",
        "_async.script_follower": "AsyncScriptRecords",
        "_async.started_script": "AsyncStartedScript",
        "_async.web_consoles": "AsyncWebConsoles",
        "_concurrency.worker_pool": "AsyncWorkerPool WorkerPool",
        "_http.certificates": "async_fetch_certificate async_trust fetch_certificate trust",
        "_service.argument_script_templates": "PlaceholderValues",
        "_service.script_request": "ClientRunOptions NewRunspaceOptions RunOptions",
        "_sync.argument_scripts": "ArgumentScripts",
        "_sync.client": "SrsClient",
        "_sync.decoding": "Objects",
        "_sync.object_stream": "ObjectStream",
        "_sync.runspace_block": "RunspaceBlock",
        "_sync.runspace_handle": "RunspaceHandle",
        "_sync.runspace_pool": "RunspaceLease RunspacePool",
        "_sync.runspaces": "Runspaces",
        "_sync.script_executions": "ScriptExecutions",
        "_sync.script_follower": "ScriptRecords",
        "_sync.started_script": "StartedScript",
        "_sync.web_consoles": "WebConsoles",
        "auth": "ApiKeyAuth Auth BasicAuth CredentialSource Secret",
        "certificate": "Certificate CertificateError",
        "credential_sources": "EnvAuth FileAuth KeyringAuth",
        "errors": (
            "ApiError AuthenticationError ClosedError DecodeError InvalidArgumentError "
            "InvalidArgumentTypeError InvalidArgumentValueError InvalidRequestError NotFoundError "
            "NotSentError OutcomeUnknownError QuotaExceededError ResponseTimeoutError RunspaceBusyError "
            "RunspaceNotReadyError ServerError SrsError StreamInterruptedError TooManyRequestsError "
            "TransportError VCenterConnectionError WaitTimeoutError"
        ),
        "events": "Event LoggedIn RequestEnded Retrying ScriptEnded ScriptStarted WaitingForQuota",
        "fleet.breaker": "BreakerPolicy",
        "fleet.errors": "HostMissingError HostSkippedError",
        "fleet.events": (
            "FleetEvent HostDown HostUp RunspaceChanged RunspaceCreated RunspaceFailed RunspaceGone "
            "RunspaceReady SweepEnded SweepLate"
        ),
        "fleet.fleet": "AsyncSrsFleet",
        "fleet.progress": "Progress ProgressCallback",
        "fleet.reports": "FleetStatistics HostReport",
        "fleet.running": "HostResult",
        "fleet.snapshot": "FleetSnapshot HostSnapshot",
        "fleet.stream": "AsyncFleetStream",
        "fleet.sync_fleet": "FleetStream FleetWatch SrsFleet",
        "fleet.target": "Target",
        "fleet.target_files": "profile_targets read_targets",
        "fleet.watching": "AsyncFleetWatch",
        "models": (
            "About ArgumentScript ArgumentScriptTemplate Credential ErrorDetails ErrorRecord OutputFormat "
            "PSDocument Runspace RunspaceState ScriptExecution ScriptExecutionState ScriptParameter "
            "StreamGap StreamRecord StreamType Switch WebConsole WebConsoleState converter from_dict to_dict"
        ),
        "parameters": "ParameterValue Parameters",
        "results": "OutputMismatchError PoolResult ScriptFailedError ScriptOutcome ScriptResult",
        "retry": "RetryEvent RetryPolicy",
        "settings": "Timeouts",
        "sign_auth": "SignAuth",
        "sso": "SsoAuth",
        "telemetry": "Telemetry",
        "tls": "InsecureTlsWarning Tls",
    },
)

__all__: list[str] = sorted([*_MODULES, "__version__"])  # pyright: ignore[reportUnsupportedDunderAll] - type checkers read the stub

__getattr__ = loading(__name__, _MODULES)


def __dir__() -> list[str]:
    return __all__
