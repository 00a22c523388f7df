"""The runspaces of a pool: taken, given back, replaced when in doubt, and all deleted at the end."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere._sync.runspace_block import RunspaceBlock
from srs_vsphere._sync.runspace_calls import SECONDS_TO_DELETE, RunspaceCalls
from srs_vsphere._sync.runspace_handle import RunspaceHandle
from srs_vsphere._sync.session import Session
from srs_vsphere._concurrency.clean_up import clean_up
from srs_vsphere._concurrency.forks import start_afresh_in_children
from srs_vsphere._concurrency.limiter import Limiter
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere.errors import ClosedError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import RunspaceState

#: Deleting all that is left over on closing may take no longer.
_SECONDS_TO_CLOSE = 30.0


@frozen
class PoolRunspace:
    """A runspace of a pool.

    Args:
        block: what created it, and deletes it.
        handle: what runs scripts in it.
        since: when it was created or given back, in seconds of the client's clock.
    """

    block: RunspaceBlock
    handle: RunspaceHandle
    since: float


class PoolStock:
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
        session: Session,
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
        self._calls = RunspaceCalls(session)
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
        self._limiter = Limiter(self.size)
        #: One is held for each creation under way; closing takes them all, and so waits for these.
        self._creating = Limiter(self.size)
        self._tidying = Limiter(1)
        self._idle: list[PoolRunspace] = []
        #: Names of the runspaces that the pool knows of, those being created included.
        self._known: set[str] = set()
        #: Whether one may have been created that the pool does not know of.
        self._unsure = False
        #: Whether one was asked for at all.
        self._used = False

    def take(self, timeout: float | None) -> PoolRunspace:
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
            self._limiter.acquire(timeout)
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
                    return self._open()
                if not self._is_well(idle):
                    self._discard(idle)
                elif not self.closed:
                    return idle
        except BaseException:
            self._limiter.release()
            raise

    def give_back(self, taken: PoolRunspace) -> None:
        """Put a runspace back, or delete it if it may not be good for another script."""
        if taken.block.name not in self._known:
            # The pool was closed meanwhile, or the runspace belongs to the process that this one came from.
            return
        try:
            if self._session.turns.is_in_doubt(taken.handle.id):
                self._discard(taken)
            else:
                now = self._session.sender.clock.now()
                self._idle.append(PoolRunspace(taken.block, taken.handle, now))
        finally:
            self._limiter.release()

    def close(self) -> None:
        """Delete all runspaces: bounded in time, and what may be left is logged."""
        if self.closed:
            return
        self.closed = True
        # Who waits for one wakes up, sees that the pool is closed, and wakes the next.
        self._limiter.release()
        self._idle.clear()
        self._known.clear()
        if self._used:
            clean_up(
                self._delete_all,
                seconds=_SECONDS_TO_CLOSE,
                left=f"runspaces named {self._prefix}-... may be left, and stay until they have idled",
            )

    def _delete_all(self) -> None:
        deadline = Deadline(_SECONDS_TO_CLOSE, self._session.sender.clock.now)
        taken = 0
        try:
            while taken < self.size:
                self._creating.acquire(deadline.left())
                taken += 1
        except TimeoutError:
            # What is being created deletes itself, when it sees that the pool is closed.
            self._unsure = True
        finally:
            # Whoever was about to create one sees it, too.
            for _ in range(taken):
                self._creating.release()
        self._tidy(deadline)

    def _is_well(self, idle: PoolRunspace) -> bool:
        session = self._session
        idled = session.sender.clock.now() - idle.since
        if self._idle_limit is not None and idled > self._idle_limit:
            return False
        if session.turns.is_in_doubt(idle.handle.id):
            return False
        try:
            runspace = self._calls.get(idle.handle.id)
        except NotFoundError:
            return False
        except BaseException:
            # Its state is unknown: it counts until it was asked for again.
            self._idle.append(idle)
            raise
        return runspace.state == RunspaceState.READY

    def _discard(self, taken: PoolRunspace) -> None:
        self._known.discard(taken.block.name)
        try:
            taken.block.__exit__(None, None, None)
        finally:
            if not taken.block.deleted:
                self._unsure = True

    def _open(self) -> PoolRunspace:
        self._creating.acquire(None)
        try:
            self._check_open()
            self._used = True
            if self._unsure:
                self._tidy(Deadline(None, self._session.sender.clock.now))
            try:
                return self._create()
            except NotFoundError:
                # The service was restarted meanwhile: what it had begun to create it does not know any more.
                return self._create()
        finally:
            self._creating.release()

    def _create(self) -> PoolRunspace:
        block = RunspaceBlock(
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
            handle = block.__enter__()
            # The pool deletes by their names, at its end, those that it still has.
            block.is_deleted_elsewhere()
            if self.closed:
                block.__exit__(None, None, None)
                self._check_open()
        except BaseException:
            # It cleans up after itself, but a lost creation may show up late.
            self._known.discard(name)
            self._unsure = True
            raise
        return PoolRunspace(block, handle, self._session.sender.clock.now())

    def _tidy(self, deadline: Deadline) -> None:
        """Delete what bears the pool's name and is not known to it: creations whose responses were lost."""
        problem: SrsError | None = None
        self._tidying.acquire(None)
        try:
            for runspace in self._calls.list(deadline.left()):
                name = runspace.name or ""
                if name.startswith(f"{self._prefix}-") and name not in self._known:
                    try:
                        self._calls.delete(runspace.id, deadline.left(SECONDS_TO_DELETE))
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
