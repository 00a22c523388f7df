"""From a call to its response: a slot, one attempt, and the retry decision."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import httpx

from srs_vsphere._async.decoding import AsyncReader
from srs_vsphere._async.observer import AsyncObserver
from srs_vsphere._async.refused_certificate import describe_certificate
from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._concurrency.clock import AsyncClock
from srs_vsphere._concurrency.hook import AsyncHook
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._http.lean_client import AsyncLeanClient
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.request_builder import RequestBuilder
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere._http.tracebacks import hide_requests
from srs_vsphere._service import failures
from srs_vsphere._service.call import Call
from srs_vsphere._service.event_log import LOG
from srs_vsphere._service.failures import Failure
from srs_vsphere._service.operations import LOGOUT, Operation
from srs_vsphere._service.retry_decision import OUT_OF_BUDGET, Outcome, RetryBudget, Sent, decide
from srs_vsphere.auth import Secret
from srs_vsphere.certificate import CertificateError
from srs_vsphere.errors import SrsError, StreamInterruptedError
from srs_vsphere.retry import RetryEvent, RetryPolicy
from srs_vsphere.settings import Origin, Timeouts

T = TypeVar("T")

#: Name and value of the header that proves who is calling; a value that is called is made for one attempt.
Proof: TypeAlias = tuple[str, Secret | Callable[[], Secret]] | None

#: Of a response that is an error, more than this is not read.
_LONGEST_ERROR_BODY = 65536
#: The sockets' own timeouts go first, for they know whether the request was sent.
_DEADLINE_SLACK = 0.05
#: A request is sent again as it is if its deadline is missed by no more than this many seconds.
_EARLY = 0.01


class AsyncSender:
    """Sends calls, several at once, over one HTTP client.

    Args:
        origin: where to.
        http: the HTTP client, which the sender does not close.
        policy: when to try again.
        timeouts: how long one attempt may wait for each of its steps.
        max_connections: how many requests may be on their way at once.
        on_retry: told of every retry.
        clock: clock and random source.
        observer: told of every attempt and retry.
    """

    def __init__(
        self,
        origin: Origin,
        http: httpx.AsyncClient,
        *,
        policy: RetryPolicy,
        timeouts: Timeouts,
        max_connections: int,
        on_retry: Callable[[RetryEvent], object] | None,
        clock: AsyncClock,
        observer: AsyncObserver | None = None,
    ) -> None:
        self.origin = origin
        self.clock = clock
        self.observer: AsyncObserver = AsyncObserver() if observer is None else observer
        self.policy = policy
        #: Whether calls that fail are not tried again, since the client is being closed.
        self.closed = False
        self.limiter: AsyncLimiter = AsyncLimiter(max_connections)
        self._max_connections = max_connections
        self._http = http
        self._lean = http if isinstance(http, AsyncLeanClient) else None
        self._requests = RequestBuilder(origin, http)
        self._timeouts = timeouts
        self._on_retry = None if on_retry is None else AsyncHook[RetryEvent]("on_retry", on_retry)
        self._budget = RetryBudget(policy, clock.now())

    @property
    def shares_connections(self) -> bool:
        """Whether a process that is forked now would use the connections of this one."""
        return self._requests.shares_connections

    def start_afresh(self) -> None:
        """Free what calls of another process hold, in a process that was forked from it."""
        self.limiter = AsyncLimiter(self._max_connections)
        self._budget = RetryBudget(self.policy, self.clock.now())

    def new_call(
        self,
        operation: Operation,
        path: str,
        body: bytes | None = None,
        *,
        within: float | None = None,
        policy: RetryPolicy | None = None,
    ) -> Call:
        """Start the clock for a call.

        Args:
            operation: what is called.
            path: its path with ids and query filled in.
            body: JSON to send.
            within: seconds it may take, if that is less than the policy's deadline.
            policy: when it is tried again; default the sender's policy.
        """
        policy = self.policy if policy is None else policy
        seconds = policy.deadline if within is None else min(within, policy.deadline)
        deadline = self.clock.now() + seconds
        return Call(operation, path, self.origin.host, deadline, seconds, body, 0, policy, None)

    async def send(
        self,
        call: Call,
        reader: AsyncReader[T],
        *,
        header: Proof = None,
        on_refusal: Callable[[AsyncResponse, SrsError], None] | None = None,
    ) -> T:
        """Try a call until it succeeds or the policy gives up.

        Args:
            call: what to send.
            reader: takes what the call returns out of a successful response.
            header: proves who is calling.
            on_refusal: shown each response that is an error.

        Returns:
            What `reader` took out.

        Raises:
            SrsError: it failed for good.
        """
        while True:
            call.attempts += 1
            watched = self.observer.listens or LOG.isEnabledFor(logging.DEBUG)
            attempt = self._watched if watched else self._attempt
            result = await attempt(call, reader, header, on_refusal)
            if not isinstance(result, Failure):
                return result
            if self.closed and call.operation is not LOGOUT:
                raise failures.of_closing(call, result)
            now = self.clock.now()
            decision = decide(
                call.policy,
                call.operation,
                attempt=call.attempts,
                outcome=result.outcome,
                seconds=call.seconds,
                left=call.deadline - now,
                budget=self._budget.left(now),
                random=self.clock.random(),
            )
            if decision.wait is not None and not self._budget.take(now):
                # Another call took the last retry since the decision looked at the budget.
                decision = OUT_OF_BUDGET
            if decision.wait is None:
                if isinstance(result.error, CertificateError):
                    within = min(self._timeouts.connect, call.deadline - now)
                    raise await describe_certificate(call, result.error, self._http, self.origin.url, within)
                if decision.exhausted:
                    result.error.given_up = decision.reason
                raise result.error
            await self._report(call, result, decision.wait, decision.reason)
            await self.clock.sleep(decision.wait)

    async def _watched(
        self,
        call: Call,
        reader: AsyncReader[T],
        header: Proof,
        on_refusal: Callable[[AsyncResponse, SrsError], None] | None,
    ) -> T | Failure:
        """Make an attempt, and tell the log, `on_event` and the telemetry of it."""
        began = self.clock.now()
        error: str | None = None
        try:
            with self.observer.request_span(call) as span:
                result = await self._attempt(call, reader, header, on_refusal)
                if isinstance(result, Failure):
                    error = type(result.error).__name__
                if span is not None and call.status is not None:
                    span.set({"http.response.status_code": call.status})
                if span is not None and error is not None:
                    span.fail(error)
            return result
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            # Loaded on use: most programs listen to no events.
            from srs_vsphere.events import RequestEnded

            event = RequestEnded(
                operation=call.operation.name,
                host=call.host,
                attempt=call.attempts,
                seconds=self.clock.now() - began,
                status=call.status,
                error=error,
            )
            await self.observer.tell(event)

    async def _attempt(
        self,
        call: Call,
        reader: AsyncReader[T],
        header: Proof,
        on_refusal: Callable[[AsyncResponse, SrsError], None] | None,
    ) -> T | Failure:
        call.status = None
        remaining = call.deadline - self.clock.now()
        if remaining <= 0:
            return failures.not_sent(call, "the deadline had passed before it could be sent")
        limiter = self.limiter
        try:
            limiter.take()
        except limiter.none_free:
            try:
                await limiter.acquire(remaining)
            except TimeoutError:
                return failures.no_slot(call, limiter.streams, self._max_connections)
            remaining = call.deadline - self.clock.now()
            if remaining <= 0:
                limiter.release()
                return failures.no_slot(call, limiter.streams, self._max_connections)
        response: AsyncResponse | None = None
        kept = False
        try:
            if self.closed and call.operation is not LOGOUT:
                return failures.of_closed_client(call)
            lean = self._lean
            if lean is not None and lean.goes_straight():
                # Its transport keeps the deadline by itself.
                request = self._prepared(call, header, remaining, whole=reader.whole)
                http_response = await lean.send(request, stream=True)
                status = call.status = http_response.status_code
                decode, body = reader.decode, http_response.stream
                if decode is not None and 200 <= status < 300 and isinstance(body, httpx.ByteStream):
                    return decode(b"".join(body), call)
                response = AsyncResponse(http_response, limiter)
                result = await self._taken(call, response, reader, on_refusal)
            else:
                timeouts = StepTimeouts.within(remaining, self._timeouts, slow=call.operation.slow)
                plain = self._requests.plain(call, _made(header), timeouts, whole=reader.whole)
                overdue = (lambda: self.clock.now() > call.deadline) if reader.whole else None
                with self.clock.limit(remaining + _DEADLINE_SLACK):
                    http_response = await self._http.send(plain, stream=True, follow_redirects=False)
                    response = AsyncResponse(http_response, limiter, overdue)
                    result = await self._taken(call, response, reader, on_refusal)
            kept = response.kept
            return result
        except httpx.HTTPError as error:
            return failures.of_transport(call, error)
        except StreamInterruptedError as error:
            return Failure(Outcome(Sent.MAYBE), error)
        except TimeoutError:
            return failures.of_deadline(call)
        except BaseException as error:
            # Whoever logs its traceback with variables must not log the API key.
            hide_requests(error)
            if isinstance(error, RuntimeError) and self._http.is_closed:
                return failures.of_closed_client(call)
            raise
        finally:
            if response is None:
                limiter.release()
            elif not kept:
                await response.aclose()

    def _prepared(self, call: Call, header: Proof, remaining: float, *, whole: bool) -> PreparedRequest:
        """Return a request as it was sent before, if it has no body and its key is the same; or a new one."""
        secret = None if header is None else header[1]
        kept = None if call.body else self._requests.kept.get((call.operation, call.path, whole))
        if kept is not None and kept.secret is not secret:
            kept = None
        if kept is not None and -_EARLY < remaining - (kept.timeouts.total or 0) < _EARLY:
            return kept
        timeouts = StepTimeouts.within(remaining, self._timeouts, slow=call.operation.slow)
        if kept is not None:
            return kept.within(timeouts)
        return self._requests.prepared(call, _made(header), timeouts, whole=whole)

    async def _taken(
        self,
        call: Call,
        response: AsyncResponse,
        reader: AsyncReader[T],
        on_refusal: Callable[[AsyncResponse, SrsError], None] | None,
    ) -> T | Failure:
        call.status = response.status
        if 200 <= response.status < 300:
            return await reader.read(response, call)
        body = await response.read(_LONGEST_ERROR_BODY)
        failure = failures.of_refusal(
            call, body, response.header("content-type"), response.header("retry-after"), datetime.now(UTC)
        )
        if on_refusal is not None:
            on_refusal(response, failure.error)
        return failure

    async def _report(self, call: Call, failure: Failure, wait: float, reason: str) -> None:
        from srs_vsphere.events import Retrying

        operation, attempt = call.operation.name, call.attempts
        await self.observer.tell(
            Retrying(operation=operation, host=call.host, attempt=attempt, wait=wait, reason=reason)
        )
        if self._on_retry is not None:
            await self._on_retry.tell(RetryEvent(operation, call.host, attempt, wait, reason, failure.error))


def _made(header: Proof) -> tuple[str, Secret] | None:
    if header is None:
        return None
    name, value = header
    return name, value if isinstance(value, Secret) else value()
