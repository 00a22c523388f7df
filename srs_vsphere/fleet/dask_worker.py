"""What a worker of a Dask cluster does for a fleet, and what it keeps between two sweeps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, TypeAlias, cast

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal
from distributed import Worker, WorkerPlugin, get_worker, secede

from srs_vsphere.errors import SrsError
from srs_vsphere.fleet.clients import ClientMaker
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.poller import Poller
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import Runspace

#: A report as it travels: the target stays where it came from, by name.
Row: TypeAlias = tuple[str, list[Runspace] | None, SrsError | None, float, int, datetime]
#: The reports that are there, and the names of the hosts that have not answered yet.
PartReports: TypeAlias = tuple[list[Row], list[str]]

#: Seconds: an answer waits so long for all hosts of a part, unless none has answered for a while; later ones
#: begin to when there is news of any. So a part takes few of Dask's tasks, each of which costs as much as
#: twenty polls, and a host that hangs holds up no other.
_FOR_ALL = 0.5
_A_WHILE = 0.1
_FOR_ANY = 5.0
#: Seconds; a part of which nobody has asked for the rest is forgotten.
_FORGOTTEN_AFTER = 120.0
_CLOSING = "the worker is being closed"


def poll_part(plugin: str, part: str, names: Sequence[str], within: float | None) -> PartReports:
    """Poll some hosts, or ask for the rest of them; this is the task that Dask schedules.

    Args:
        plugin: name of the worker's plugin.
        part: what the hosts are called together in this sweep; asked for twice, they are polled once.
        names: the hosts' names.
        within: seconds until the sweep's deadline, or None.
    """
    polling = cast("FleetPlugin", get_worker().plugins[plugin])
    # Hosts that hang must not take the worker's threads from others.
    secede()
    return polling.poll(part, names, within)


class FleetPlugin(WorkerPlugin):
    """Keeps the clients of a fleet on each worker, in a thread of its own.

    Args:
        name: what the cluster knows it by.
        targets: all hosts of the fleet; credentials are here, and in no task.
        options: how the hosts are treated.
        concurrency: hosts that are polled at once by one worker.
    """

    idempotent = True

    def __init__(self, name: str, targets: Sequence[Target], options: FleetOptions, concurrency: int) -> None:
        self.name = name
        self._arguments = (name, targets, options, concurrency)
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._parts: _Parts | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._arguments

    def setup(self, worker: Worker) -> None:
        """Begin; Dask calls it on each worker."""
        del worker
        _, targets, options, concurrency = self._arguments
        parts = _Parts(targets, options, concurrency)
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal("asyncio"))
            self._parts = stack.enter_context(self._portal.wrap_async_context_manager(parts))
            self._stack = stack.pop_all()

    async def teardown(self, worker: Worker) -> None:
        """Log out, close all connections and end the thread; Dask calls it."""
        del worker
        self._portal = None
        await anyio.to_thread.run_sync(self._stack.close)

    def poll(self, part: str, names: Sequence[str], within: float | None) -> PartReports:
        """Poll some hosts, or ask for the rest of them; see `poll_part`.

        Raises:
            RuntimeError: the worker is being closed.
        """
        if self._portal is None or self._parts is None:
            raise RuntimeError(_CLOSING)
        return self._portal.call(self._parts.poll, part, names, within)


class _Part:
    """Some hosts that are being polled, and what has been found and not yet taken."""

    def __init__(self, targets: Sequence[Target], until: float | None) -> None:
        self.until = until
        self.left = {target.name: target for target in targets}
        self.found: list[Row] = []
        self.changed = anyio.Event()
        self.ended = anyio.Event()
        self.asked = time.monotonic()

    def note(self, report: HostReport) -> None:
        name = report.target.name
        self.found.append((name, report.runspaces, report.error, report.elapsed, report.attempts, report.at))
        del self.left[name]
        self.changed.set()
        if not self.left:
            self.ended.set()

    async def wait_for_all(self) -> None:
        known = len(self.found)
        for _ in range(round(_FOR_ALL / _A_WHILE)):
            with anyio.move_on_after(_A_WHILE):
                await self.ended.wait()
            if self.ended.is_set() or (self.found and len(self.found) == known):
                return
            known = len(self.found)

    async def wait_for_any(self) -> None:
        if not self.found:
            with anyio.move_on_after(_FOR_ANY):
                await self.changed.wait()
        if self.left:
            await self.wait_for_all()

    def take(self) -> PartReports:
        found, self.found = self.found, []
        self.changed = anyio.Event()
        self.asked = time.monotonic()
        return found, list(self.left)


class _Parts:
    """The loop's side of the plugin."""

    def __init__(self, targets: Sequence[Target], options: FleetOptions, concurrency: int) -> None:
        self._targets = {target.name: target for target in targets}
        self._options = options
        self._concurrency = concurrency
        self._parts: dict[str, _Part] = {}
        self._pending: deque[tuple[_Part, Target]] = deque()
        self._working = 0
        self._stack = AsyncExitStack()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._poller = Poller(self._options, ClientMaker(self._options, None))
        self._stack.push_async_callback(self._poller.aclose)
        self._group = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(self._group.cancel_scope.cancel)
        self._group.start_soon(self._tidy)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Whoever waits for a part is told at once, or the thread's end would wait for them.
        self._closing = True
        for part in self._parts.values():
            part.changed.set()
            part.ended.set()
        await self._stack.__aexit__(exc_type, exc, traceback)

    async def poll(self, name: str, hosts: Sequence[str], within: float | None) -> PartReports:
        if self._closing:
            raise RuntimeError(_CLOSING)
        part = self._parts.get(name)
        if part is None:
            until = None if within is None else anyio.current_time() + within
            part = self._parts[name] = _Part([self._targets[host] for host in hosts], until)
            self._begin(part)
            await part.wait_for_all()
        else:
            await part.wait_for_any()
        found, left = part.take()
        if not left:
            self._parts.pop(name, None)
        return found, left

    def _begin(self, part: _Part) -> None:
        self._pending.extend((part, target) for target in part.left.values())
        for _ in range(min(len(part.left), self._concurrency - self._working)):
            self._working += 1
            self._group.start_soon(self._work)

    async def _work(self) -> None:
        while self._pending:
            part, target = self._pending.popleft()
            part.note(await self._poller.poll(target, part.until))
        self._working -= 1

    async def _tidy(self) -> None:
        while True:
            await anyio.sleep(min(_FORGOTTEN_AFTER, self._options.idle) / 4)
            now = time.monotonic()
            for name, part in list(self._parts.items()):
                if part.ended.is_set() and now - part.asked > _FORGOTTEN_AFTER:
                    del self._parts[name]
            await self._poller.close_idle()
