"""What a failed attempt means: from a transport's exception to whether the request was sent, and an error.

The exceptions of the HTTP library carry the request, whose headers hold the API key, and tracebacks whose
variables do. So they are replaced by bare copies that say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from attrs import evolve, frozen

from srs_vsphere._service import operations
from srs_vsphere._service.api_errors import PROXY_ADVICE, error_for
from srs_vsphere._service.certificate_failures import tls_error
from srs_vsphere._service.retry_decision import Outcome, Sent, retry_after_seconds
from srs_vsphere.errors import (
    ApiError,
    ClosedError,
    DecodeError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    ResponseTimeoutError,
    RunspaceBusyError,
    RunspaceNotReadyError,
    ServerError,
    SrsError,
    TransportError,
    WaitTimeoutError,
)
from srs_vsphere.models.error_details import ErrorDetails

if TYPE_CHECKING:
    from datetime import datetime

    from srs_vsphere._service.call import Call

#: The service's code for a runspace that it cannot reach: nothing was started or stopped there.
UNREACHABLE = 1000
#: The connection was not there yet, so no byte of the request was written.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
#: A proxy responds so when it lost, or never got, the service's own response. The service itself says 0 for a
#: runspace that it cannot reach, and then tells its code.
_LOST_RESPONSES = frozenset({0, 502, 503, 504})
#: How the HTTP library begins what may pass.
_PASSING_PROXY_ERRORS = ("5", "Proxy Server could not connect")
_OTHER_PROXY_ADVICE = "Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or exclude the service with NO_PROXY."


@frozen
class Failure:
    """An attempt that came to nothing.

    Args:
        outcome: what the retry policy has to know.
        error: what is raised if it is not tried again.
    """

    outcome: Outcome
    error: SrsError


def bare(error: httpx.HTTPError) -> httpx.HTTPError:
    """Copy an exception without its request and traceback.

    Args:
        error: an exception of the HTTP library.
    """
    # Not by calling its class: some, and those of a user's own transport, want more than a message.
    copy = type(error).__new__(type(error), str(error))
    httpx.HTTPError.__init__(copy, str(error))
    return copy


def not_sent(call: Call, message: str, cause: Exception | None = None) -> Failure:
    """Return the failure of an attempt of which nothing reached the service.

    Args:
        call: what was attempted.
        message: what happened.
        cause: the exception behind it, already bare.
    """
    error = NotSentError(message, **call.facts(cause=_words(cause)))
    error.__cause__ = cause
    return Failure(Outcome(Sent.NO), error)


def unknown(
    call: Call, message: str, cause: Exception | None = None, kind: type[TransportError] = TransportError
) -> Failure:
    """Return the failure of an attempt that may have been carried out.

    Args:
        call: what was attempted.
        message: what happened.
        cause: the exception behind it, already bare.
        kind: what is raised if the call may be repeated; `OutcomeUnknownError` if not.
    """
    facts = call.facts(cause=_words(cause))
    error = kind(message, **facts) if call.operation.idempotent else OutcomeUnknownError(message, **facts)
    error.__cause__ = cause
    return Failure(Outcome(Sent.MAYBE), error)


def of_transport(call: Call, error: httpx.HTTPError) -> Failure:
    """Judge an exception of the HTTP library."""
    cause = bare(error)
    refused = tls_error(call, error) if isinstance(error, httpx.ConnectError) else None
    if refused is not None:
        refused.__cause__ = cause
        return Failure(Outcome(Sent.NO, final=True), refused)
    if isinstance(error, httpx.ProxyError):
        return _of_proxy(call, cause)
    if isinstance(error, _BEFORE_SENDING):
        return not_sent(call, "no connection to the service", cause)
    if isinstance(error, httpx.TimeoutException):
        return unknown(call, "the service did not respond in time", cause, ResponseTimeoutError)
    return unknown(call, "the connection broke before the response was whole", cause)


def of_refusal(
    call: Call, body: bytes, content_type: str | None, retry_after: str | None, now: datetime
) -> Failure:
    """Judge a response that is an error.

    Args:
        call: what was attempted; its status is the response's.
        body: what there is of the response's body.
        content_type: its header ``Content-Type``.
        retry_after: its header ``Retry-After``.
        now: the time of day.
    """
    status = call.status or 0
    error = error_for(call.operation.name, call.host, status, content_type, body, call.attempts)
    outcome = Outcome(Sent.RESPONDED, status, retry_after_seconds(retry_after, now))
    if status in _LOST_RESPONSES and error.code is None and not call.operation.idempotent:
        facts = call.facts(status=status, code=error.code, details=error.details)
        return Failure(outcome, OutcomeUnknownError(error.message, **facts))
    return Failure(outcome, error)


def no_slot(call: Call, streams: int, size: int) -> Failure:
    """Return the failure of an attempt for which no connection became free.

    Args:
        call: what was attempted.
        streams: how many connections open streams hold.
        size: how many there may be.
    """
    message = "no connection became free before the deadline"
    if not streams:
        return not_sent(call, message)
    failure = not_sent(call, f"{message}: open streams hold {streams} of {size}")
    failure.error.advice = (
        "Call outside of the streams' with blocks, or make the client with a larger max_connections."
    )
    return failure


def of_closed_client(call: Call) -> Failure:
    """Return the failure of an attempt for which the HTTP client was closed already."""
    failure = not_sent(call, "the HTTP client is closed")
    failure.error.advice = "Keep the http_client open for as long as its client is used."
    return evolve(failure, outcome=Outcome(Sent.NO, final=True))


def of_closing(call: Call, failure: Failure) -> SrsError:
    """Return what a call ends with whose client was closed while it was under way."""
    reason = "the client was closed during the call"
    if call.operation.idempotent or not may_have_taken_effect(failure.error):
        return ClosedError(reason, **call.facts())
    failure.error.given_up = reason
    return failure.error


def _of_proxy(call: Call, cause: httpx.HTTPError) -> Failure:
    failure = not_sent(call, "no connection to the service", cause)
    # It begins with the proxy's status, if the proxy gave one.
    if str(cause).startswith(_PASSING_PROXY_ERRORS):
        return failure
    failure.error.advice = PROXY_ADVICE if str(cause).startswith("407") else _OTHER_PROXY_ADVICE
    return evolve(failure, outcome=Outcome(Sent.NO, final=True))


def of_deadline(call: Call) -> Failure:
    """Return the failure of an attempt that the call's deadline ended."""
    return unknown(
        call, f"no response within the deadline of {round(call.seconds, 3):g} s", kind=ResponseTimeoutError
    )


def may_have_taken_effect(error: SrsError) -> bool:
    """Tell whether a creation that ended so may have been carried out all the same."""
    if error.code == UNREACHABLE:
        return False
    return isinstance(error, OutcomeUnknownError | DecodeError | ServerError)


def was_not_started(error: SrsError) -> bool:
    """Tell whether a script was certainly not started, for a reason that lies in its runspace."""
    if isinstance(error, NotFoundError):
        # An unknown script is told by another operation.
        return error.operation == operations.SCRIPT_EXECUTIONS_CREATE.name
    if isinstance(error, WaitTimeoutError):
        return error.started is False and error.operation != "pool.lease"
    return isinstance(error, RunspaceBusyError | RunspaceNotReadyError)


def failed(
    kind: type[ApiError], named: str, details: ErrorDetails | None, operation: str, host: str
) -> ApiError:
    """Return the error of a runspace or web console that is in state ``error``.

    Args:
        kind: the error's class.
        named: what has failed.
        details: what the service says of it.
        operation: what waited for it.
        host: where.
    """
    said = ErrorDetails() if details is None else details
    return kind(
        f"{named} failed: {said.error_message or 'no reason was given'}",
        operation=operation,
        host=host,
        code=said.code,
        details=said.details,
        advice="It will not recover: delete it, and create another if the reason is mended.",
    )


def _words(cause: Exception | None) -> str | None:
    if cause is None:
        return None
    text = str(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
