"""A pool of runspaces: leased ready, given back, replaced when they die, and never more than its size."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar, Unpack, overload

from attrs import frozen

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere._async.runspace_block import AsyncRunspaceBlock
from srs_vsphere._async.runspace_handle import AsyncRunspaceHandle
from srs_vsphere._async.script_runner import AsyncScriptRunner
from srs_vsphere._concurrency.clean_up import async_clean_up
from srs_vsphere._concurrency.clock import AsyncClock
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._concurrency.worker_pool import AsyncWorkerPool
from srs_vsphere._service.script_output import OutputChoice
from srs_vsphere._service.script_request import (
    DEFAULT_TIMEOUT,
    DEFAULT_WIDTH,
    Job,
    MapOptions,
    MismatchChoice,
    OnRecord,
    prepare,
    unique_name,
)
from srs_vsphere._validation import check_count, check_name, check_patience
from srs_vsphere.errors import NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import PSDocument, RunspaceState
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import PoolResult

_log = logging.getLogger("srs_vsphere")

if TYPE_CHECKING:
    from cattrs import BaseConverter

T = TypeVar("T")

#: As long as anybody would wait.
_EVER = 1e9
#: Deleting what is left over on closing may take no longer, each.
_SECONDS_TO_CLOSE = 30.0


@frozen
class _Idle:
    """A runspace that waits for its next lease."""

    opening: AsyncRunspaceBlock
    handle: AsyncRunspaceHandle
    since: float


class AsyncRunspacePool:
    """Runspaces kept for scripts to come, in an ``async with`` block that deletes them all at its end.

    The service's quota is small and shared by all its users: a pool of the quota's size leaves no room for
    anybody else.

    Args:
        client: the client to open them with; it stays open.
        size: how many there may be at once on the service; default 2.
        name: how their names begin; default ``pool``.
        run_vc_connection_script: whether they connect to vCenter; that they did is checked.
        timeout: seconds until a new one must be ready; default 660.
        wait_for_quota: seconds to wait for room if the service has none; default 0.
        idle_limit: seconds after which an unused one is replaced rather than leased; default 240, less than
            what the service itself allows.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        client: AsyncSrsClient,
        *,
        size: int = 2,
        name: str = "pool",
        run_vc_connection_script: bool = False,
        timeout: float | None = 660.0,
        wait_for_quota: float = 0.0,
        idle_limit: float = 240.0,
    ) -> None:
        check_count("size", size)
        check_name(name)
        check_patience("idle_limit", idle_limit)
        self._client = client
        self._session = client._session  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a part of it
        self._clock = AsyncClock()
        self._size = size
        self._name = unique_name(name)
        self._connected = run_vc_connection_script
        self._timeout = timeout
        self._wait_for_quota = wait_for_quota
        self._idle_limit = idle_limit
        self._limiter = AsyncLimiter(size)
        self._tidying = AsyncLimiter(1)
        self._idle: list[_Idle] = []
        #: Names of the runspaces that the pool knows of, those being created included.
        self._known: set[str] = set()
        self._unsure = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def lease(self, *, timeout: float | None = None) -> AsyncRunspaceLease:
        """Lease a runspace for the length of an ``async with`` block.

        Args:
            timeout: seconds to wait until one is given back, if all are leased; default None, for ever.

        Returns:
            A context manager; inside it, the handle of a runspace that is ready.

        Raises:
            WaitTimeoutError: on entering: none was given back in time.
            SrsError: on entering: as for ``runspaces.open()``.
        """
        check_patience("timeout", timeout)
        return AsyncRunspaceLease(self, timeout)

    async def warm(self) -> None:
        """Open as many runspaces as the pool may have, one after the other, before they are needed.

        Raises:
            SrsError: as for ``runspaces.open()``.
        """
        leases: list[_Idle] = []
        try:
            while len(leases) < self._size:
                leases.append(await self.take(0.0))
        except WaitTimeoutError:
            # The others are leased, which is as warm as can be.
            pass
        finally:
            for lease in leases:
                self.give_back(lease)

    async def aclose(self) -> None:
        """Delete all runspaces of the pool; leases still open lose theirs.

        An error would take the place of what the block came to, which is worth more: it is logged instead.
        """
        self._closed = True
        self._idle.clear()
        self._known.clear()
        left = f"runspaces named {self._name}-... may be left, and stay until they have idled"
        await async_clean_up(self._tidy, seconds=_SECONDS_TO_CLOSE, left=left)

    async def take(self, timeout: float | None) -> _Idle:
        """Take a runspace out of the pool; `lease` is what a program calls.

        Args:
            timeout: seconds to wait for one.
        """
        if self._closed:
            raise RuntimeError("this pool is closed: make a new one")
        try:
            await self._limiter.acquire(_EVER if timeout is None else timeout)
        except TimeoutError:
            raise WaitTimeoutError(
                f"all {self._size} runspaces of the pool stayed leased for {timeout:g} s",
                operation="pool.lease",
                advice="Lease for a shorter time, or make the pool larger if the quota allows.",
            ) from None
        try:
            while self._idle:
                idle = self._idle.pop()
                if await self._is_well(idle):
                    return idle
                await self.discard(idle)
            return await self._open()
        except BaseException:
            self._limiter.release()
            raise

    def give_back(self, lease: _Idle) -> None:
        """Put a runspace back into the pool.

        Args:
            lease: what `take` returned.
        """
        if not self._closed:
            self._idle.append(_Idle(lease.opening, lease.handle, self._clock.now()))
        self._limiter.release()

    async def discard(self, idle: _Idle) -> None:
        """Delete a runspace that is dead or in doubt.

        Args:
            idle: the runspace.
        """
        self._known.discard(idle.opening.name)
        await idle.opening.__aexit__(None, None, None)
        if not idle.opening.deleted:
            self._unsure = True

    async def _is_well(self, idle: _Idle) -> bool:
        if self._clock.now() - idle.since > self._idle_limit:
            return False
        try:
            runspace = await self._client.runspaces.get(idle.handle.id)
        except NotFoundError:
            return False
        except BaseException:
            # Nobody knows how it is: it counts until somebody does.
            self._idle.append(idle)
            raise
        return runspace.state == RunspaceState.READY

    async def _open(self) -> _Idle:
        if self._unsure:
            await self._tidy()
        opening = self._client.runspaces.open(
            self._name,
            run_vc_connection_script=self._connected,
            timeout=self._timeout,
            wait_for_quota=self._wait_for_quota,
        )
        name = opening.name
        self._known.add(name)
        try:
            handle = await opening.__aenter__()
        except BaseException:
            # It cleans up after itself, but a lost creation may show up late.
            self._known.discard(name)
            self._unsure = True
            raise
        return _Idle(opening, handle, self._clock.now())

    async def _tidy(self) -> None:
        """Delete what bears the pool's name and is not known to it: creations whose answers were lost."""
        problem: SrsError | None = None
        await self._tidying.acquire(_EVER)
        try:
            for runspace in await self._client.runspaces.list():
                name = runspace.name or ""
                if name.startswith(f"{self._name}-") and name not in self._known:
                    try:
                        await self._client.runspaces.delete(runspace.id)
                    except SrsError as error:
                        # The others can be deleted all the same.
                        problem = problem or error
            if problem is not None:
                raise problem
            self._unsure = False
        finally:
            self._tidying.release()

    @overload
    def map(
        self,
        script: str | PathLike[str],
        inputs: Iterable[Parameters],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[MapOptions],
    ) -> AsyncWorkerPool[PoolResult[str]]: ...
    @overload
    def map(  # pyright: ignore[reportOverlappingOverload] - the more exact one
        self,
        script: str | PathLike[str],
        inputs: Iterable[Parameters],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[MapOptions],
    ) -> AsyncWorkerPool[PoolResult[list[T]]]: ...
    @overload
    def map(
        self,
        script: str | PathLike[str],
        inputs: Iterable[Parameters],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[MapOptions],
    ) -> AsyncWorkerPool[PoolResult[list[object]]]: ...
    @overload
    def map(
        self,
        script: str | PathLike[str],
        inputs: Iterable[Parameters],
        *,
        output: Literal["raw"],
        **options: Unpack[MapOptions],
    ) -> AsyncWorkerPool[PoolResult[list[PSDocument]]]: ...
    def map(
        self,
        script: str | PathLike[str],
        inputs: Iterable[Parameters],
        *,
        output: OutputChoice = "text",
        width: int | None = DEFAULT_WIDTH,
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        name: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        check: bool = False,
        streams: bool = True,
        on_record: OnRecord | None = None,
    ) -> AsyncWorkerPool[PoolResult[object]]:
        """Run a script once for each of many inputs, as many at once as the pool has runspaces.

        Args:
            script: the script, or the path of a file that holds it.
            inputs: the parameters of each run; taken only as runspaces become free.
            output: as for ``run()``, like all that follows.
            width: see there.
            depth: see there.
            output_type: see there.
            on_mismatch: see there.
            converter: see there.
            name: see there.
            timeout: seconds for each run, from the moment that it has its runspace; default 3600.
            check: see there.
            streams: see there.
            on_record: see there; called for all runs.

        Returns:
            A context manager; inside it, an iterator of `PoolResult` in the order in which the runs end. One
            that cannot be run does not stop the others: its result has the error.

        Raises:
            InvalidArgumentTypeError: an argument is of the wrong kind.
            InvalidArgumentValueError: an argument makes no sense.
        """

        def prepared(parameters: Parameters | None) -> Job:
            return prepare(
                script,
                parameters=parameters,
                output=output,
                width=width,
                depth=depth,
                output_type=output_type,
                on_mismatch=on_mismatch,
                converter=converter,
                name=name,
                timeout=timeout,
                check=check,
                streams=streams,
                on_record=on_record,
            )

        prepared(None)

        async def work(numbered: tuple[int, Parameters]) -> PoolResult[object]:
            index, parameters = numbered
            try:
                job = prepared(parameters)
                async with self.lease() as handle:
                    runner = AsyncScriptRunner(self._session, handle.id)
                    return PoolResult(index, parameters, await runner.run(job))
            except SrsError as error:
                return PoolResult(index, parameters, error=error)

        return AsyncWorkerPool(self._size, enumerate(inputs), work)


class AsyncRunspaceLease:
    """A leased runspace as an ``async with`` block, whose target is its handle; made by ``pool.lease()``."""

    def __init__(self, pool: AsyncRunspacePool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._taken: _Idle | None = None

    async def __aenter__(self) -> AsyncRunspaceHandle:
        if self._taken is not None:
            raise RuntimeError("this lease is in use: make another for a second block")
        self._taken = await self._pool.take(self._timeout)
        return self._taken.handle

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            self._pool.give_back(taken)
