"""A pool of runspaces: leased ready, given back, replaced when they die, and never more than its size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar, Unpack, overload

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere._async.pool_stock import AsyncPoolRunspace, AsyncPoolStock
from srs_vsphere._async.runspace_handle import AsyncRunspaceHandle
from srs_vsphere._async.script_runner import AsyncScriptRunner
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._concurrency.worker_pool import AsyncWorkerPool
from srs_vsphere._service.failures import was_not_started
from srs_vsphere._service.run_defaults import DEFAULT_WIDTH
from srs_vsphere._service.script_request import Job, MapJobOptions, MapOptions, MismatchChoice, prepare
from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere._validation import check_count, check_flag, check_name, check_number, check_timeout
from srs_vsphere.errors import AuthenticationError, InvalidArgumentTypeError, SrsError, WaitTimeoutError
from srs_vsphere.models import PSDocument
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import PoolResult, ScriptResult

if TYPE_CHECKING:
    from cattrs import BaseConverter

T = TypeVar("T")

#: An input that was not started, since its runspace was not good for it, is started in another so often.
_OTHER_RUNSPACES = 2


class AsyncRunspacePool:
    """Runspaces kept for scripts to come, in an ``async with`` block that deletes them all at its end.

    However the block is left, all of them are deleted, within 30 seconds, those being created included; who
    waits for a lease gets `ClosedError`. What may be left is logged.

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
            what the service itself allows. None for never.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense.
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
        idle_limit: float | None = 240.0,
    ) -> None:
        check_count("size", size)
        check_name(name)
        check_flag("run_vc_connection_script", run_vc_connection_script)
        check_timeout("timeout", timeout)
        check_number("wait_for_quota", wait_for_quota, unit="seconds")
        check_timeout("idle_limit", idle_limit)
        if not isinstance(client, AsyncSrsClient):
            raise InvalidArgumentTypeError(f"client must be of AsyncSrsClient, not {type(client).__name__}")
        self._session = client._session  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - they share a session
        self._stock = AsyncPoolStock(
            self._session,
            size,
            name,
            run_vc_connection_script=run_vc_connection_script,
            timeout=timeout,
            wait_for_quota=wait_for_quota,
            idle_limit=idle_limit,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def lease(self, *, timeout: float | None = None) -> AsyncRunspaceLease:
        """Lease a runspace for the length of an ``async with`` block.

        A runspace that lost a script, cannot be reached or runs one that does not stop is not lent again: it
        is deleted when its lease ends, and another takes its place.

        Args:
            timeout: seconds to wait until one is given back, if all are leased; default None, for ever.

        Returns:
            A context manager; inside it, the handle of a runspace that is ready.

        Raises:
            WaitTimeoutError: on entering: none was given back in time.
            ClosedError: on entering: the pool is closed, or was closed in the meantime.
            SrsError: on entering: as for ``runspaces.open()``.
        """
        check_timeout("timeout", timeout)
        return AsyncRunspaceLease(self._session, self._stock, timeout)

    async def warm(self) -> None:
        """Open as many runspaces as the pool may have, one after the other, before they are needed.

        Raises:
            SrsError: as for ``runspaces.open()``.
        """
        taken: list[AsyncPoolRunspace] = []
        try:
            while len(taken) < self._stock.size:
                taken.append(await self._stock.take(0.0))
        except WaitTimeoutError as error:
            # If the others are leased, it is as warm as can be.
            if error.operation != "pool.lease":
                raise
        finally:
            for runspace in taken:
                await self._stock.give_back(runspace)

    async def aclose(self) -> None:
        """Delete all runspaces of the pool, as leaving ``async with`` does; leases still open lose theirs.

        An error would take the place of what the block came to, which is worth more: it is logged instead.
        """
        await self._stock.close()

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
    def map(
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
    @shows_keywords_of(prepare, without="parameters")
    def map(
        self, script: str | PathLike[str], inputs: Iterable[Parameters], **options: Unpack[MapJobOptions]
    ) -> AsyncWorkerPool[PoolResult[object]]:
        """Run a script once for each of many inputs, as many at once as the pool has runspaces.

        Args:
            script: the script's text, or a ``Path`` of its file; a text is never taken for a path.
            inputs: the parameters of each run, such as ``[{"Name": "web-1"}, {"Name": "web-2"}]``; taken only
                as runspaces become free.
            **options: as for ``run()`` of a runspace; ``timeout`` is in seconds for each run, from the moment
                that it has its runspace, and ``on_record`` is called for all runs.

        Returns:
            A context manager; inside it, an iterator of `PoolResult` in the order in which the runs end. One
            that cannot be run does not stop the others: its result has the error. One that was not started,
            since its runspace was not good for it, is started in another. Refused credentials end all.
            However the block is left, scripts under way are canceled, and waited for up to 10 seconds.

        Raises:
            AuthenticationError: while iterating: the credentials were refused.
            InvalidArgumentTypeError: an argument is of the wrong kind.
            InvalidArgumentValueError: an argument makes no sense.
        """
        if isinstance(inputs, Mapping | str) or not isinstance(inputs, Iterable):
            raise InvalidArgumentTypeError(
                "inputs must be parameters for each run, such as [{'Name': 'web-1'}]"
            )
        prepare(script, parameters=None, **options)

        async def work(numbered: tuple[int, Parameters]) -> PoolResult[object]:
            index, parameters = numbered
            try:
                if parameters is None:  # pyright: ignore[reportUnnecessaryComparison] - callers without types
                    raise InvalidArgumentTypeError(f"inputs[{index}] is None: give an empty mapping")
                job = prepare(script, parameters=parameters, **options)
                return PoolResult(index, parameters, await self._run_somewhere(job))
            except AuthenticationError:
                # It would be refused for every input, until the account is locked.
                raise
            except SrsError as error:
                return PoolResult(index, parameters, error=error)

        return AsyncWorkerPool(self._stock.size, enumerate(inputs), work)

    async def _run_somewhere(self, job: Job) -> ScriptResult[object]:
        for _ in range(_OTHER_RUNSPACES):
            try:
                return await self._run_in_one(job)
            except SrsError as error:
                if not was_not_started(error):
                    raise
        return await self._run_in_one(job)

    async def _run_in_one(self, job: Job) -> ScriptResult[object]:
        async with self.lease() as handle:
            return await AsyncScriptRunner(self._session, handle.id).run(job)


class AsyncRunspaceLease:
    """A leased runspace as an ``async with`` block, whose target is its handle; made by ``pool.lease()``."""

    def __init__(self, session: AsyncSession, stock: AsyncPoolStock, timeout: float | None) -> None:
        self._session = session
        self._stock = stock
        self._timeout = timeout
        self._taken: AsyncPoolRunspace | None = None

    async def __aenter__(self) -> AsyncRunspaceHandle:
        if self._taken is not None:
            raise RuntimeError("this lease is in use: make another for a second block")
        self._taken = await self._stock.take(self._timeout)
        return self._taken.handle

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        taken, self._taken = self._taken, None
        if taken is None:
            return
        if isinstance(exc, SrsError) and self._session.turns.is_in_doubt(taken.handle.id):
            exc.advice = f"{exc.advice} The pool replaces this runspace: lease another."
        await self._stock.give_back(taken)
