"""A runspace for the length of a block: created, ready, connected if asked, and deleted whatever happens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from srs_vsphere._async.runspace_calls import SECONDS_TO_DELETE, AsyncRunspaceCalls
from srs_vsphere._async.runspace_handle import AsyncRunspaceHandle
from srs_vsphere._async.script_follower import AsyncScriptWatch
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._concurrency.clean_up import async_clean_up
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import may_have_taken_effect
from srs_vsphere._service.poll_schedule import End, Seen, Wait
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere.errors import (
    NotFoundError,
    QuotaExceededError,
    RunspaceNotReadyError,
    SrsError,
    VCenterConnectionError,
    WaitTimeoutError,
    without_advice,
)
from srs_vsphere.events import WaitingForQuota
from srs_vsphere.models import Runspace, StreamGap, StreamRecord, StreamType
from srs_vsphere.results import ScriptOutcome, outcome_of, split_streams

_log = logging.getLogger("srs_vsphere")


class AsyncRunspaceBlock:
    """A runspace as an ``async with`` block, whose target is its handle; made by ``runspaces.open()``."""

    #: Whether it may have a runspace whose deletion was not tried yet.
    _open: bool = False

    def __init__(
        self,
        session: AsyncSession,
        name: str | None,
        *,
        run_vc_connection_script: bool,
        timeout: float | None,
        wait_for_quota: float,
        deadline: Deadline | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._session = session
        self._calls = AsyncRunspaceCalls(session)
        self._prefix = name
        self.name: str = unique_name(name)
        self._connected = run_vc_connection_script
        self._timeout = timeout
        self._wait_for_quota = wait_for_quota
        #: Bounds the whole block, for a call that is made of one.
        self._deadline = Deadline(None, session.sender.clock.now) if deadline is None else deadline
        self._until = self._deadline.keeping_back()
        self._check = check
        self._id: str | None = None
        self._process = os.getpid()
        #: After the block: whether its runspace is gone, or never was there.
        self.deleted: bool = True

    async def __aenter__(self) -> AsyncRunspaceHandle:
        if self._id is not None:
            raise RuntimeError("this runspace is open already: open another for a second block")
        self._process = os.getpid()
        began = Deadline(self._timeout, self._session.sender.clock.now)
        self._open = True
        try:
            self._id = (await self._create(began)).id
            runspace = await self._ready(began)
            if self._connected:
                await self._check_connection(runspace, began)
        except BaseException as error:
            await self._delete()
            if isinstance(error, WaitTimeoutError | RunspaceNotReadyError):
                error.advice = "The runspace was not kept: open another once the reason is mended."
            if isinstance(error, WaitTimeoutError):
                error.started = False
            elif isinstance(error, SrsError) and self._until.over:
                raise self._too_late(error) from error
            raise
        return AsyncRunspaceHandle(self._session, runspace)

    async def __aexit__(self, *exc_info: object) -> None:
        # A process that was forked within the block leaves it too, but the runspace is not its own.
        if self._process == os.getpid():
            await self._delete()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            where = "`async with ....open() as runspace:`"
            raise AttributeError(f"{type(self).__name__} has no {name!r}: enter it first: {where}")

    def is_deleted_elsewhere(self) -> None:
        """Note that the runspace is deleted elsewhere, so that a block left open gives no warning."""
        self._open = False

    def __del__(self) -> None:
        # A Ctrl-C may come between the end of the block and its first line of clean-up.
        if self._open and self._process == os.getpid():
            _log.warning("runspace %s (%s) was not deleted: its block was broken off", self.name, self._id)

    async def _delete(self) -> None:
        """Delete the runspace on the way out.

        An error would take the place of what the block came to, which is worth more: it is logged instead.
        """
        opened, name = self._id, self.name
        gone, logged = opened is None, False
        seconds = self._deadline.left_to_undo(SECONDS_TO_DELETE)

        async def delete() -> None:
            nonlocal gone
            if opened is not None:
                await self._calls.delete(opened, seconds)
            # Whatever has come in the meantime and goes on afterwards.
            gone = True

        left = f"runspace {name} ({opened}) was not deleted, and stays until it has idled"
        try:
            if opened is not None:
                await async_clean_up(delete, seconds=seconds, left=left)
            logged = True
        finally:
            # The next block has a runspace of its own, not to be mistaken for one that could not be deleted.
            self._id, self._open = None, False
            self.name = unique_name(self._prefix)
            self.deleted = gone
            if not (gone or logged):
                _log.warning("deleting runspace %s (%s) was interrupted: is it gone?", name, opened)

    async def _create(self, began: Deadline) -> Runspace:
        clock = self._session.sender.clock
        since, wait = clock.now(), Wait(self._wait_for_quota, clock.random)
        told = False
        while True:
            if self._check is not None:
                self._check()
            try:
                return await self._calls.create(
                    self.name, run_vc_connection_script=self._connected, unique=True, within=self._left(began)
                )
            except QuotaExceededError:
                step = wait.saw(clock.now() - since, Seen.PENDING)
                if isinstance(step, End) or self._deadline.over:
                    raise
                if not told:
                    told = True
                    sender = self._session.sender
                    event = WaitingForQuota(host=sender.origin.host, seconds=self._wait_for_quota)
                    await sender.observer.tell(event)
            except SrsError as error:
                if may_have_taken_effect(error):
                    await self._calls.delete_lost(self.name)
                raise
            await clock.sleep(step)

    async def _ready(self, began: Deadline) -> Runspace:
        opened = self._id or ""
        # The error tells of the time that the caller gave, be it for the creation or for the whole call.
        own, whole = began.left(), self._deadline.left()
        is_whole = whole is not None and (own is None or whole < own)
        given = self._deadline.seconds if is_whole else None
        try:
            return await self._calls.wait_ready(opened, self._left(began), given=given, check=self._check)
        except NotFoundError as error:
            error.message = (
                f"the service lost runspace {self.name} while it was being created: {error.message}"
            )
            error.advice = "The service was restarted, or could not make it: open another."
            raise

    def _too_late(self, error: SrsError) -> WaitTimeoutError:
        return WaitTimeoutError(
            f"no runspace was ready within {self._deadline.seconds:g} s",
            started=False,
            operation="runspaces.open",
            host=self._session.sender.origin.host,
            cause=without_advice(error),
            advice="The script was not started: give it more time.",
        )

    def _left(self, began: Deadline) -> float | None:
        return began.left(self._until.left())

    async def _check_connection(self, runspace: Runspace, began: Deadline) -> None:
        """Look at what became of the connection: to the service, a runspace without one is ready too."""
        host = self._session.sender.origin.host
        script_id = runspace.vc_connection_script_id
        if script_id is None:
            raise VCenterConnectionError(
                f"runspace {runspace.id} never tried to connect to vCenter",
                operation="runspaces.open",
                host=host,
            )
        watch = AsyncScriptWatch(self._session, script_id, self._left(began), given=began.seconds)
        followed: list[StreamRecord | StreamGap] = []
        while watch.execution is None:
            followed += await watch.look()
        followed += await watch.finish(self._left(began))
        records = split_streams([record for record in followed if isinstance(record, StreamRecord)])
        errors = records[StreamType.ERROR]
        if outcome_of(watch.execution, errors) is ScriptOutcome.SUCCEEDED:
            return
        reason = (watch.execution.reason or "").strip() or "no reason was given"
        raise VCenterConnectionError(
            f"runspace {runspace.id} is not connected to vCenter:"
            f" {errors[0].message if errors else reason.splitlines()[0]}",
            records=errors,
            operation="runspaces.open",
            host=host,
        )
