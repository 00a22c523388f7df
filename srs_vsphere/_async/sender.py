"""From a call to its answer: a slot, one attempt, and the retry policy's word on what follows."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._concurrency.clock import AsyncClock
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._http.express import AsyncLane
from srs_vsphere._service import failures
from srs_vsphere._service.api_errors import error_for
from srs_vsphere._service.call import Call
from srs_vsphere._service.failures import Failure
from srs_vsphere._service.operations import LOGOUT, Operation
from srs_vsphere._service.retry_decision import Outcome, RetryBudget, Sent, decide, retry_after_seconds
from srs_vsphere._version import __version__
from srs_vsphere.auth import Secret
from srs_vsphere.errors import ClosedError, OutcomeUnknownError, StreamInterruptedError
from srs_vsphere.retry import RetryEvent, RetryPolicy
from srs_vsphere.settings import Origin, Timeouts

T = TypeVar("T")

_log = logging.getLogger("srs_vsphere")

#: Of an answer that is an error, more than this is not read.
_LONGEST_ERROR_BODY = 65536
#: The sockets' own timeouts go first, for they know whether the request was sent.
_DEADLINE_SLACK = 0.05
_HEADERS = {
    "User-Agent": f"srs-vsphere/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
#: A proxy answers so when it lost, or never got, the service's own answer; and the service itself, with 0,
#: when it lost the runspace's.
_LOST_ANSWERS = frozenset({0, 502, 503, 504})


class AsyncSender:
    """Sends calls, several at once, over one HTTP client.

    Args:
        origin: where to.
        http: the HTTP client, which the sender does not close.
        lane: the way past it.
        policy: when to try again.
        timeouts: how patient one attempt is.
        max_connections: how many requests may be on their way at once.
        on_retry: told of every retry.
        clock: time and chance.
    """

    def __init__(
        self,
        origin: Origin,
        http: httpx.AsyncClient,
        lane: AsyncLane,
        *,
        policy: RetryPolicy,
        timeouts: Timeouts,
        max_connections: int,
        on_retry: Callable[[RetryEvent], object] | None,
        clock: AsyncClock,
    ) -> None:
        self.origin = origin
        self.clock = clock
        self.policy = policy
        #: Whether calls that fail are not tried again, since the client is being closed.
        self.closed = False
        self.limiter: AsyncLimiter = AsyncLimiter(max_connections)
        self._http = http
        self._lane = lane
        self._timeouts = timeouts
        self._on_retry = on_retry
        self._budget = RetryBudget(policy, clock.now())
        self._urls: dict[str, httpx.URL] = {}

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
        now = self.clock.now()
        seconds = policy.deadline if within is None else min(within, policy.deadline)
        return Call(operation, path, self.origin.host, now + seconds, body, policy=policy)

    async def send(
        self,
        call: Call,
        read: Callable[[AsyncResponse, Call], Awaitable[T]],
        *,
        header: tuple[str, Secret] | None = None,
        express: bool = True,
    ) -> T:
        """Try a call until it succeeds or the policy gives up.

        Args:
            call: what to send.
            read: takes what the call returns out of a successful answer.
            header: name and value of the header that proves who is calling.
            express: whether the answer is read at once, so that it may come by the express lane.

        Returns:
            What `read` returned.

        Raises:
            SrsError: it failed for good.
        """
        while True:
            call.attempts += 1
            result = await self._attempt(call, read, header, express=express)
            if not isinstance(result, Failure):
                return result
            if self.closed and call.operation is not LOGOUT:
                raise ClosedError("the client was closed during the call", **call.facts())
            now = self.clock.now()
            decision = decide(
                call.policy,
                call.operation,
                attempt=call.attempts,
                outcome=result.outcome,
                elapsed=call.policy.deadline - (call.deadline - now),
                budget=self._budget.left(now),
                random=self.clock.random(),
            )
            if decision.wait is None or not self._budget.take(now):
                raise result.error
            self._report(call, result, decision.wait, decision.reason)
            await self.clock.sleep(decision.wait)

    async def _attempt(
        self,
        call: Call,
        read: Callable[[AsyncResponse, Call], Awaitable[T]],
        header: tuple[str, Secret] | None,
        *,
        express: bool,
    ) -> T | Failure:
        remaining = call.deadline - self.clock.now()
        if remaining <= 0:
            return failures.not_sent(call, "the deadline had passed before it could be sent")
        try:
            await self.limiter.acquire(remaining)
        except TimeoutError:
            return failures.not_sent(call, "no connection became free before the deadline")
        response: AsyncResponse | None = None
        kept = False
        try:
            if express and self._lane.is_open():
                answer = await self._lane.fetch(call, _HEADERS, header, self._timeouts, remaining)
                response = AsyncResponse(answer, self.limiter)
                return await self._taken(call, response, read)
            with self.clock.limit(remaining + _DEADLINE_SLACK):
                http_response = await self._http.send(self._request(call, header, remaining), stream=True)
                overdue = (lambda: self.clock.now() > call.deadline) if express else None
                response = AsyncResponse(http_response, self.limiter, overdue)
                result = await self._taken(call, response, read)
            kept = response.kept
            return result
        except httpx.HTTPError as error:
            return failures.of_transport(call, error)
        except StreamInterruptedError as error:
            return Failure(Outcome(Sent.MAYBE), error)
        except TimeoutError:
            return failures.of_deadline(call, call.policy.deadline)
        except BaseException as error:
            if not isinstance(error, Exception):
                # A cancelled caller may log its traceback, and the frames below this one hold the API key.
                error.__traceback__ = None
            raise
        finally:
            if response is None:
                self.limiter.release()
            elif not kept:
                await response.aclose()

    def _request(self, call: Call, header: tuple[str, Secret] | None, remaining: float) -> httpx.Request:
        url = self._urls.get(call.operation.path)
        if url is None or call.path != call.operation.path:
            url = httpx.URL(self.origin.url + call.path)
            if call.path == call.operation.path:
                self._urls[call.path] = url
        headers = _HEADERS.copy()
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if header is not None:
            headers[header[0]] = header[1].reveal()
        timeouts = self._timeouts
        patience = timeouts.login if call.operation.slow else timeouts.read
        extensions = {
            "timeout": {
                "connect": min(timeouts.connect, remaining),
                "read": min(patience, remaining),
                "write": min(timeouts.write, remaining),
                "pool": remaining,
            }
        }
        request = httpx.Request(
            call.operation.method, url, headers=headers, content=call.body, extensions=extensions
        )
        request.stream = AsyncBody(request.content)
        return request

    async def _taken(
        self, call: Call, response: AsyncResponse, read: Callable[[AsyncResponse, Call], Awaitable[T]]
    ) -> T | Failure:
        if 200 <= response.status < 300:
            return await read(response, call)
        return await self._refused(call, response)

    async def _refused(self, call: Call, response: AsyncResponse) -> Failure:
        body = await response.read(_LONGEST_ERROR_BODY)
        error = error_for(
            call.operation.name,
            call.host,
            response.status,
            response.header("content-type"),
            body,
            call.attempts,
        )
        retry_after = retry_after_seconds(response.header("retry-after"), datetime.now(UTC))
        outcome = Outcome(Sent.ANSWERED, response.status, retry_after)
        lost = response.status in _LOST_ANSWERS and (error.code is None or response.status == 0)
        if lost and not call.operation.idempotent:
            facts = call.facts(status=response.status, code=error.code, details=error.details)
            return Failure(outcome, OutcomeUnknownError(error.message, **facts))
        return Failure(outcome, error)

    def _report(self, call: Call, failure: Failure, wait: float, reason: str) -> None:
        _log.info(
            "%s on %s: attempt %d failed (%s), next in %.2f s",
            call.operation.name,
            call.host,
            call.attempts,
            reason,
            wait,
        )
        if self._on_retry is not None:
            event = RetryEvent(call.operation.name, call.host, call.attempts, wait, reason, failure.error)
            self._on_retry(event)


class AsyncBody(httpx.ByteStream):
    """A request's body in one piece.

    The HTTP library's own is a generator, which a connection that breaks leaves to the garbage collector.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content
