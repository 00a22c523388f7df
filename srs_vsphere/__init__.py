"""Asyncio-native client for VMware Script Runtime Service for vSphere."""

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere._async.reading import AsyncObjects
from srs_vsphere._async.runspaces import AsyncRunspaces
from srs_vsphere._async.streaming import AsyncObjectStream
from srs_vsphere._sync.client import SrsClient
from srs_vsphere._sync.reading import Objects
from srs_vsphere._sync.runspaces import Runspaces
from srs_vsphere._sync.streaming import ObjectStream
from srs_vsphere._version import __version__
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
