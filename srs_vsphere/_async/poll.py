"""Waiting: asking at growing intervals, until something has come about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from srs_vsphere._async.session import AsyncSession
from srs_vsphere._service.poll_schedule import LONGEST_DELAY, End, Seen, Wait, seen_error
from srs_vsphere.errors import SrsError, WaitTimeoutError, without_advice

T = TypeVar("T")


class AsyncPoll(Generic[T]):
    """One wait under way.

    Args:
        session: makes the calls.
        timeout: seconds until waiting is given up, None for never.
        operation: name of the operation that asks, for errors.
        what: what is waited for, for errors.
        given: seconds that the caller gave for more than this wait, for errors; default the timeout.
        check: called before each question; it raises where no more are to be asked. Default nothing.
        longest_delay: seconds between two questions at most, before jitter; default 5.
        ask: asks once, within so many seconds.
        see: tells what a response means.
    """

    def __init__(
        self,
        session: AsyncSession,
        timeout: float | None,
        *,
        operation: str,
        what: str,
        ask: Callable[[float | None], Awaitable[T]],
        see: Callable[[T], Seen],
        given: float | None = None,
        check: Callable[[], None] | None = None,
        longest_delay: float = LONGEST_DELAY,
    ) -> None:
        self.last: T | None = None
        self._clock = session.sender.clock
        self._host = session.sender.origin.host
        self._observer = session.sender.observer
        self._timeout = timeout
        self._operation = operation
        self._what = what
        self._ask = ask
        self._see = see
        self._given = timeout if given is None else given
        #: The last question may take so long, unless the wait is a part of something that is bounded itself.
        self._chance = 1.0 if given is None else min(1.0, 0.1 * given)
        self._check = check
        self._began = self._clock.now()
        self._wait = Wait(timeout, self._clock.random, longest_delay)
        self._delay = 0.0

    async def step(self) -> T | None:
        """Wait as long as is due, and ask once.

        Returns:
            The response, if it is the end or unrecoverable (a stuck record); None to take another step.

        Raises:
            WaitTimeoutError: the time is over.
            SrsError: asking makes no sense any more.
        """
        if self._delay > 0:
            await self._clock.sleep(self._delay)
        if self._check is not None:
            self._check()
        error: SrsError | None = None
        try:
            self.last = await self._ask(self.left())
            seen = self._see(self.last)
        except SrsError as problem:
            error = problem
            seen = seen_error(problem)
        step = self._wait.saw(self._clock.now() - self._began, seen)
        if not isinstance(step, End):
            self._delay = step
            return None
        if step is End.TIMEOUT:
            raise WaitTimeoutError(
                f"{self._what} within {self._given:g} s",
                last=self.last,
                operation=self._operation,
                host=self._host,
                cause=None if error is None else without_advice(error),
            )
        if error is not None:
            raise error
        return self.last

    async def until_end(self) -> T:
        """Take steps until the end.

        Returns:
            The last response.

        Raises:
            WaitTimeoutError: the time is over.
            SrsError: asking makes no sense any more.
        """
        with self._observer.span(
            "srs.wait", {"srs.operation": self._operation, "server.address": self._host}
        ):
            while True:
                response = await self.step()
                if response is not None:
                    return response

    def left(self) -> float | None:
        """Return how many seconds one more call may take; None for no limit."""
        if self._timeout is None:
            return None
        # The last request is made at the deadline itself, and needs time, too.
        return max(self._chance, self._timeout - (self._clock.now() - self._began))
