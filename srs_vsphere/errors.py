"""Everything this package raises about the service, as one tree.

::

    SrsError
    ├── TransportError                 no complete response came
    │   ├── NotSentError               the request never left; repeating it is safe
    │   │   └── CertificateError       the server's certificate is not one that is trusted; in `certificate`
    │   ├── OutcomeUnknownError        it may have been carried out; the outcome is unknown
    │   ├── ResponseTimeoutError       the service did not respond in time
    │   └── StreamInterruptedError     a list broke off before its end
    ├── ApiError                       the service (or a proxy before it) responded with an error
    │   ├── AuthenticationError        the credentials or the API key were refused
    │   ├── NotFoundError              no such runspace, script execution, template or web console
    │   ├── QuotaExceededError         codes 2020 and 2060: no room for another runspace or console
    │   ├── RunspaceBusyError          code 1310: another script is running in that runspace
    │   ├── RunspaceNotReadyError      code 2031: the runspace is still being created, or in error
    │   ├── InvalidRequestError        the request was malformed; ``fields`` says where
    │   ├── TooManyRequestsError       HTTP 429: a proxy asks for fewer calls; nothing was carried out
    │   └── ServerError                everything else the service fails with
    ├── DecodeError                    the response is not what the service documents
    │   └── OutputMismatchError        a script's output does not fit output_type; in `srs_vsphere.results`
    ├── WaitTimeoutError               what was waited for did not happen; ``last`` is what was seen last
    ├── VCenterConnectionError         the runspace is ready but not connected to vCenter
    ├── ClosedError                    the client or pool is closed; a ``RuntimeError`` too
    ├── InvalidArgumentError           an argument was refused, and nothing was sent
    │   ├── InvalidArgumentTypeError   it is of the wrong kind; a ``TypeError`` too
    │   └── InvalidArgumentValueError  it makes no sense; a ``ValueError`` too
    ├── HostMissingError               a host of a fleet had not answered at the deadline; in `fleet`
    ├── HostSkippedError               a host of a fleet was not asked, since it kept failing; in `fleet`
    └── ScriptFailedError              the script did not succeed; in `srs_vsphere.results`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, TypedDict, TypeVar, Unpack

if TYPE_CHECKING:
    from srs_vsphere.models.stream_record import StreamRecord

#: Of a server's own words, ``str()`` shows no more than this; the attributes hold them whole.
_LONGEST_TEXT = 300


class Facts(TypedDict, total=False):
    """The facts that every error of this package may carry; see `SrsError`."""

    operation: str | None
    host: str | None
    status: int | None
    code: int | None
    attempts: int
    given_up: str | None
    cause: str | None
    details: str | None
    advice: str


class SrsError(Exception):
    """Base of all errors of this package; its text is one line: what happened, where, and what to do next.

    Args:
        message: what happened.
        operation: name of the operation, such as ``runspaces.list``.
        host: host and port of the service.
        status: HTTP status of the last response, if there was one.
        code: the service's own error code, if it gave one.
        attempts: how many times the request was tried; 0 if it was refused before that.
        given_up: why it was not tried again although another attempt might have succeeded, and what to do.
        cause: the underlying failure in words; the exception itself is in ``__cause__``.
        details: the service's diagnostic text (a stack trace), never part of ``str()``.
        advice: what to do next; each class has its own default.
    """

    advice: str = "Read the message and, if it does not help, the service's log."

    def __init__(self, message: str, **facts: Unpack[Facts]) -> None:
        super().__init__(message)
        self.message: str = message
        self.operation: str | None = facts.get("operation")
        self.host: str | None = facts.get("host")
        self.status: int | None = facts.get("status")
        self.code: int | None = facts.get("code")
        self.attempts: int = facts.get("attempts", 0)
        self.given_up: str | None = facts.get("given_up")
        self.cause: str | None = facts.get("cause")
        self.details: str | None = facts.get("details")
        if "advice" in facts:
            self.advice = facts["advice"]

    def __str__(self) -> str:
        given_up = f" Given up: {self.given_up}." if self.given_up else ""
        return f"{without_advice(self)}.{given_up} {self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own way calls the class with `args` alone, which loses every keyword.
        return _restore, (type(self), self.args, dict(self.__dict__))

    def again(self) -> Self:
        """Copy this error for another caller who met the same failure.

        Returns:
            An error with the same facts and cause, and a traceback of its own.
        """
        # Notes are added to one raised error, not to the failure.
        facts = {name: value for name, value in self.__dict__.items() if name != "__notes__"}
        copy = _restore(type(self), self.args, facts)
        copy.__cause__ = self.__cause__
        return copy


def without_advice(error: SrsError) -> str:
    """Return what an error says of what happened and where, for another error that gives advice of its own.

    Args:
        error: the error.
    """
    where = " on ".join(part for part in (error.operation, error.host) if part)
    facts = (
        f"HTTP {error.status}" if error.status is not None else "",
        f"code {error.code}" if error.code is not None else "",
        f"{error.attempts} attempts" if error.attempts > 1 else "",
        f"cause: {_short(error.cause)}" if error.cause else "",
    )
    known = ", ".join(fact for fact in facts if fact)
    message = _short(error.message).removesuffix(".")
    text = f"{where}: {message}" if where else message
    return f"{text} ({known})" if known else text


def _short(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST_TEXT:
        line = line[: _LONGEST_TEXT - 1] + "…"
    # What a server says may hold a terminal's commands, or half a character that no log can write.
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


_E = TypeVar("_E", bound=SrsError)


def _restore(cls: type[_E], args: tuple[object, ...], state: dict[str, object]) -> _E:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class TransportError(SrsError):
    """No complete response came from the service."""

    advice = "Check the network, and proxies on the way to the service, then call again."


class NotSentError(TransportError):
    """The request was not sent: nothing happened on the service, and repeating it is safe."""

    advice = "Nothing was sent: check the URL, the network and the service, then call again."


class OutcomeUnknownError(TransportError):
    """The request may have been carried out; no usable response says whether it was."""

    advice = "Look at the service's state before repeating the call: it may have taken effect."


class ResponseTimeoutError(TransportError):
    """The service did not respond in time, and the call may be repeated."""

    advice = (
        "Check the service's load and the network, or allow more: Timeouts(read=), RetryPolicy(deadline=)."
    )


class StreamInterruptedError(TransportError):
    """A list broke off before its end.

    Args:
        message: what happened.
        items_delivered: how many whole objects had been handed out before.
        **facts: as for `SrsError`.
    """

    advice = "The objects handed out are whole but the list is not: call again for all of it."

    def __init__(self, message: str, *, items_delivered: int = 0, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.items_delivered: int = items_delivered


class ApiError(SrsError):
    """The service, or a proxy before it, responded with an error."""

    advice = "Read what the service says of it, and its log."


class AuthenticationError(ApiError):
    """The credentials or the API key were refused, or none were given."""

    advice = "Check user name, password and that the service reaches its single sign-on server."


class NotFoundError(ApiError):
    """The service knows no such runspace, script execution, template or web console."""

    advice = "It may have been deleted, cleaned up after idling, or belong to another user."


class QuotaExceededError(ApiError):
    """The service has no room for another runspace or web console (codes 2020 and 2060)."""

    advice = "Delete a runspace or web console, or wait (wait_for_quota=): all users share the quota."


class RunspaceBusyError(ApiError):
    """Another script is running in that runspace (code 1310)."""

    advice = "Wait for the running script to end, cancel it, or use another runspace."


class RunspaceNotReadyError(ApiError):
    """The runspace is still being created, or in error (code 2031)."""

    advice = "Wait until it is ready; if its state is error, read its error_details and create another."


class InvalidRequestError(ApiError):
    """The service found the request malformed.

    Args:
        message: what happened.
        fields: the service's complaints by member of the request.
        **facts: as for `SrsError`.
    """

    advice = "Correct the request: the service will not accept it as it is."

    def __init__(
        self, message: str, *, fields: dict[str, list[str]] | None = None, **facts: Unpack[Facts]
    ) -> None:
        super().__init__(message, **facts)
        self.fields: dict[str, list[str]] = fields or {}


class TooManyRequestsError(ApiError):
    """A proxy before the service asks for fewer calls (HTTP 429); this one was not carried out."""

    advice = "Call less often, or give the retry policy more time."


class ServerError(ApiError):
    """The service, or a proxy before it, failed."""

    advice = "The fault is on the service's side: try later, or read its log."


class DecodeError(SrsError):
    """The response is not what the service documents.

    Args:
        message: what happened.
        items_delivered: how many whole objects of a list had been handed out before.
        **facts: as for `SrsError`.
    """

    advice = "Check that the URL leads to the Script Runtime Service and not to another server."

    def __init__(self, message: str, *, items_delivered: int = 0, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.items_delivered: int = items_delivered


class WaitTimeoutError(SrsError):
    """What was waited for did not come about in the time allowed.

    Args:
        message: what happened.
        last: the runspace, script execution or web console as it was last seen, None if it never was.
        started: whether a script was started; None where the wait was not for a script.
        output: what a script that ran too long had put out so far, in the form that was asked for; None if
            there is none. The service keeps it in format json only.
        records: what that script had written to its streams so far, in order of time.
        **facts: as for `SrsError`.
    """

    advice = "Nothing was stopped or deleted on the service: wait again, or cancel or delete it."

    def __init__(
        self,
        message: str,
        *,
        last: object = None,
        started: bool | None = None,
        output: object = None,
        records: Sequence[StreamRecord] = (),
        **facts: Unpack[Facts],
    ) -> None:
        super().__init__(message, **facts)
        self.last: object = last
        self.started: bool | None = started
        self.output: object = output
        self.records: tuple[StreamRecord, ...] = tuple(records)


class VCenterConnectionError(SrsError):
    """The runspace is ready, but the script that connects it to vCenter did not succeed.

    Args:
        message: what happened.
        records: the error stream of that script.
        **facts: as for `SrsError`.
    """

    advice = "Check the vCenter that the service is registered with, and the rights of this user there."

    def __init__(self, message: str, *, records: Sequence[StreamRecord] = (), **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.records: tuple[StreamRecord, ...] = tuple(records)


class ClosedError(SrsError, RuntimeError):
    """The client or pool is closed, or was closed during the call."""

    advice = "Make a new one, and close it after its last call has ended."


class InvalidArgumentError(SrsError):
    """An argument was refused."""

    advice = "Nothing was sent: correct the argument."


class InvalidArgumentTypeError(InvalidArgumentError, TypeError):
    """An argument is of the wrong kind; the message names it."""


class InvalidArgumentValueError(InvalidArgumentError, ValueError):
    """An argument makes no sense; the message names it."""
