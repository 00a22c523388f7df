"""Asyncio-native client for VMware Script Runtime Service for vSphere.

Names load their module on first use, so that importing the package costs next to nothing and a program
pays for the async client, the sync client or the models only if it uses them.
"""

import importlib
from typing import TYPE_CHECKING

from srs_vsphere._version import __version__

if TYPE_CHECKING:
    from srs_vsphere._async.client import AsyncSrsClient
    from srs_vsphere._async.reading import AsyncObjects
    from srs_vsphere._async.runspaces import AsyncRunspaces
    from srs_vsphere._async.streaming import AsyncObjectStream
    from srs_vsphere._sync.client import SrsClient
    from srs_vsphere._sync.reading import Objects
    from srs_vsphere._sync.runspaces import Runspaces
    from srs_vsphere._sync.streaming import ObjectStream
    from srs_vsphere.auth import ApiKeyAuth, Auth, BasicAuth, Secret
    from srs_vsphere.errors import (
        ApiError,
        AuthenticationError,
        DecodeError,
        InvalidRequestError,
        NotFoundError,
        NotSentError,
        OutcomeUnknownError,
        QuotaExceededError,
        RunspaceBusyError,
        RunspaceNotReadyError,
        ServerError,
        SrsError,
        StreamInterruptedError,
        TransportError,
    )
    from srs_vsphere.models import About, ErrorDetails, Runspace, RunspaceState
    from srs_vsphere.retry import Decision, Outcome, RetryEvent, RetryPolicy, Sent, decide
    from srs_vsphere.settings import Timeouts
    from srs_vsphere.tls import Tls

__all__ = [
    "About",
    "ApiError",
    "ApiKeyAuth",
    "AsyncObjectStream",
    "AsyncObjects",
    "AsyncRunspaces",
    "AsyncSrsClient",
    "Auth",
    "AuthenticationError",
    "BasicAuth",
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
    "QuotaExceededError",
    "RetryEvent",
    "RetryPolicy",
    "Runspace",
    "RunspaceBusyError",
    "RunspaceNotReadyError",
    "RunspaceState",
    "Runspaces",
    "Secret",
    "Sent",
    "ServerError",
    "SrsClient",
    "SrsError",
    "StreamInterruptedError",
    "Timeouts",
    "Tls",
    "TransportError",
    "__version__",
    "decide",
]

_HOMES = {
    "About": "srs_vsphere.models",
    "ApiError": "srs_vsphere.errors",
    "ApiKeyAuth": "srs_vsphere.auth",
    "AsyncObjectStream": "srs_vsphere._async.streaming",
    "AsyncObjects": "srs_vsphere._async.reading",
    "AsyncRunspaces": "srs_vsphere._async.runspaces",
    "AsyncSrsClient": "srs_vsphere._async.client",
    "Auth": "srs_vsphere.auth",
    "AuthenticationError": "srs_vsphere.errors",
    "BasicAuth": "srs_vsphere.auth",
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
    "QuotaExceededError": "srs_vsphere.errors",
    "RetryEvent": "srs_vsphere.retry",
    "RetryPolicy": "srs_vsphere.retry",
    "Runspace": "srs_vsphere.models",
    "RunspaceBusyError": "srs_vsphere.errors",
    "RunspaceNotReadyError": "srs_vsphere.errors",
    "RunspaceState": "srs_vsphere.models",
    "Runspaces": "srs_vsphere._sync.runspaces",
    "Secret": "srs_vsphere.auth",
    "Sent": "srs_vsphere.retry",
    "ServerError": "srs_vsphere.errors",
    "SrsClient": "srs_vsphere._sync.client",
    "SrsError": "srs_vsphere.errors",
    "StreamInterruptedError": "srs_vsphere.errors",
    "Timeouts": "srs_vsphere.settings",
    "Tls": "srs_vsphere.tls",
    "TransportError": "srs_vsphere.errors",
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
