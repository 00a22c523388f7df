"""The runspaces of a pool: taken, given back, replaced when in doubt, and all deleted at the end."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere._async.runspace_block import AsyncRunspaceBlock
from srs_vsphere._async.runspace_calls import SECONDS_TO_DELETE, AsyncRunspaceCalls
from srs_vsphere._async.runspace_handle import AsyncRunspaceHandle
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._concurrency.clean_up import async_clean_up
from srs_vsphere._concurrency.forks import start_afresh_in_children
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere.errors import ClosedError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import RunspaceState

#: Deleting all that is left over on closing may take no longer.
_SECONDS_TO_CLOSE = 30.0


@frozen
class AsyncPoolRunspace:
    """A runspace of a pool.

    Args:
        block: what created it, and deletes it.
        handle: what runs scripts in it.
        since: when it was created or given back, in seconds of the client's clock.
    """

    block: AsyncRunspaceBlock
    handle: AsyncRunspaceHandle
    since: float


class AsyncPoolStock:
    """The runspaces of one pool.

    Args:
        session: makes the calls.
        size: how many there may be at once.
        prefix: how their names begin; it is made unique.
        run_vc_connection_script: whether they connect to vCenter.
        timeout: seconds until a new one must be ready.
        wait_for_quota: seconds to wait for room if the service has none.
        idle_limit: seconds after which an unused one is replaced; None for never.
    """

    def __init__(
        self,
        session: AsyncSession,
        size: int,
        prefix: str,
        *,
        run_vc_connection_script: bool,
        timeout: float | None,
        wait_for_quota: float,
        idle_limit: float | None,
    ) -> None:
        self.size = size
        self.closed: bool = False
        self._session = session
        self._calls = AsyncRunspaceCalls(session)
        self._name = prefix
        self._connected = run_vc_connection_script
        self._timeout = timeout
        self._wait_for_quota = wait_for_quota
        self._idle_limit = idle_limit
        self.start_afresh()
        start_afresh_in_children(self)

    def start_afresh(self) -> None:
        """Begin without any runspace, as in a process that was just forked: the others are not its own."""
        self._prefix = unique_name(self._name)
        self._limiter = AsyncLimiter(self.size)
        #: One is held for each creation under way; closing takes them all, and so waits for these.
        self._creating = AsyncLimiter(self.size)
        self._tidying = AsyncLimiter(1)
        self._idle: list[AsyncPoolRunspace] = []
        #: Names of the runspaces that the pool knows of, those being created included.
        self._known: set[str] = set()
        #: Whether one may have been created that the pool does not know of.
        self._unsure = False
        #: Whether one was asked for at all.
        self._used = False

    async def take(self, timeout: float | None) -> AsyncPoolRunspace:
        """Take a runspace that is ready.

        Args:
            timeout: seconds to wait for one, if all are taken; None for ever.

        Raises:
            WaitTimeoutError: all stayed taken.
            ClosedError: the pool is closed, or was closed in the meantime.
            SrsError: none could be opened.
        """
        self._check_open()
        try:
            await self._limiter.acquire(timeout)
        except TimeoutError:
            raise WaitTimeoutError(
                f"all {self.size} runspaces of the pool stayed leased for {timeout:g} s",
                started=False,
                operation="pool.lease",
                host=self._session.sender.origin.host,
                advice="Lease for a shorter time, or make the pool larger if the quota allows.",
            ) from None
        try:
            while True:
                self._check_open()
                try:
                    idle = self._idle.pop()
                except IndexError:
                    return await self._open()
                if not await self._is_well(idle):
                    await self._discard(idle)
                elif not self.closed:
                    return idle
        except BaseException:
            self._limiter.release()
            raise

    async def give_back(self, taken: AsyncPoolRunspace) -> None:
        """Put a runspace back, or delete it if it may not be good for another script."""
        if taken.block.name not in self._known:
            # The pool was closed meanwhile, or the runspace belongs to the process that this one came from.
            return
        try:
            if self._session.turns.is_in_doubt(taken.handle.id):
                await self._discard(taken)
            else:
                now = self._session.sender.clock.now()
                self._idle.append(AsyncPoolRunspace(taken.block, taken.handle, now))
        finally:
            self._limiter.release()

    async def close(self) -> None:
        """Delete all runspaces: bounded in time, and what may be left is logged."""
        if self.closed:
            return
        self.closed = True
        # Who waits for one wakes up, sees that the pool is closed, and wakes the next.
        self._limiter.release()
        self._idle.clear()
        self._known.clear()
        if self._used:
            await async_clean_up(
                self._delete_all,
                seconds=_SECONDS_TO_CLOSE,
                left=f"runspaces named {self._prefix}-... may be left, and stay until they have idled",
            )

    async def _delete_all(self) -> None:
        deadline = Deadline(_SECONDS_TO_CLOSE, self._session.sender.clock.now)
        taken = 0
        try:
            while taken < self.size:
                await self._creating.acquire(deadline.left())
                taken += 1
        except TimeoutError:
            # What is being created deletes itself, when it sees that the pool is closed.
            self._unsure = True
        finally:
            # Whoever was about to create one sees it, too.
            for _ in range(taken):
                self._creating.release()
        await self._tidy(deadline)

    async def _is_well(self, idle: AsyncPoolRunspace) -> bool:
        session = self._session
        idled = session.sender.clock.now() - idle.since
        if self._idle_limit is not None and idled > self._idle_limit:
            return False
        if session.turns.is_in_doubt(idle.handle.id):
            return False
        try:
            runspace = await self._calls.get(idle.handle.id)
        except NotFoundError:
            return False
        except BaseException:
            # Its state is unknown: it counts until it was asked for again.
            self._idle.append(idle)
            raise
        return runspace.state == RunspaceState.READY

    async def _discard(self, taken: AsyncPoolRunspace) -> None:
        self._known.discard(taken.block.name)
        try:
            await taken.block.__aexit__(None, None, None)
        finally:
            if not taken.block.deleted:
                self._unsure = True

    async def _open(self) -> AsyncPoolRunspace:
        await self._creating.acquire(None)
        try:
            self._check_open()
            self._used = True
            if self._unsure:
                await self._tidy(Deadline(None, self._session.sender.clock.now))
            try:
                return await self._create()
            except NotFoundError:
                # The service was restarted meanwhile: what it had begun to create it does not know any more.
                return await self._create()
        finally:
            self._creating.release()

    async def _create(self) -> AsyncPoolRunspace:
        block = AsyncRunspaceBlock(
            self._session,
            self._prefix,
            run_vc_connection_script=self._connected,
            timeout=self._timeout,
            wait_for_quota=self._wait_for_quota,
            check=self._check_open,
        )
        name = block.name
        self._known.add(name)
        try:
            handle = await block.__aenter__()
            # The pool deletes by their names, at its end, those that it still has.
            block.is_deleted_elsewhere()
            if self.closed:
                await block.__aexit__(None, None, None)
                self._check_open()
        except BaseException:
            # It cleans up after itself, but a lost creation may show up late.
            self._known.discard(name)
            self._unsure = True
            raise
        return AsyncPoolRunspace(block, handle, self._session.sender.clock.now())

    async def _tidy(self, deadline: Deadline) -> None:
        """Delete what bears the pool's name and is not known to it: creations whose responses were lost."""
        problem: SrsError | None = None
        await self._tidying.acquire(None)
        try:
            for runspace in await self._calls.list(deadline.left()):
                name = runspace.name or ""
                if name.startswith(f"{self._prefix}-") and name not in self._known:
                    try:
                        await self._calls.delete(runspace.id, deadline.left(SECONDS_TO_DELETE))
                    except SrsError as error:
                        # The others can be deleted all the same.
                        problem = problem or error
            if problem is not None:
                raise problem
            self._unsure = False
        finally:
            self._tidying.release()

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("this pool is closed", operation="pool.lease")
