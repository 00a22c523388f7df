"""A Dask cluster as a fleet sees it, through a client of either kind; and which worker has which hosts."""

from __future__ import annotations

import hmac
import pickle
import secrets
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread
from attrs import frozen
from distributed import Client, Future

from srs_vsphere._concurrency.clean_up import async_clean_up
from srs_vsphere._concurrency.late_calls import Scheduler, scheduler_async
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.dask_worker import FleetPlugin, PartReports, poll_part
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.target import Target

_Future: TypeAlias = "Future[PartReports]"

#: Names plugins without giving away what is in them.
_key = secrets.token_bytes(16)

#: Seconds; no longer is waited for what was submitted to be cancelled.
_SECONDS_TO_CANCEL = 5.0
#: Seconds; a scheduler that has not answered by then hangs.
_SECONDS_TO_ANSWER = 60.0
#: Seconds between two looks whether another sweep has ended changing the plugins.
_SECONDS_BETWEEN_LOOKS = 0.02


def check_pickling(targets: Sequence[Target]) -> bytes:
    """Refuse targets that cannot be sent to other processes.

    Returns:
        The targets, pickled one by one.

    Raises:
        TypeError: one cannot be pickled; the message has its name, and why.
    """
    pickled: list[bytes] = []
    for target in targets:
        try:
            pickled.append(pickle.dumps(target))
        except Exception as error:  # noqa: BLE001 - whatever a user's own credentials raise
            raise InvalidArgumentTypeError(
                f"target {target.name!r} cannot be sent to other processes: {error}"
            ) from None
    return b"".join(pickled)


def assign(parts: int, workers: Sequence[str], before: Mapping[int, str]) -> dict[int, str]:
    """Spread parts evenly over workers, and leave each where it was if that may be.

    Args:
        parts: how many there are.
        workers: the workers, at least one.
        before: where each part was.

    Returns:
        The worker of each part.
    """
    most, more = divmod(parts, len(workers))
    held: dict[str, list[int]] = {worker: [] for worker in sorted(workers)}
    free: list[int] = []
    for part in range(parts):
        own = held.get(before.get(part, ""))
        (free if own is None or len(own) > most or (len(own) == most and not more) else own).append(part)
    # Those with one more than the others first, so that no part is moved for the sake of evenness alone.
    by_load = sorted(held, key=lambda worker: (-len(held[worker]), worker))
    for place, worker in enumerate(by_load):
        room = most + (place < more)
        free.extend(held[worker][room:])
        del held[worker][room:]
    free.sort(reverse=True)
    for place, worker in enumerate(by_load):
        room = most + (place < more)
        while len(held[worker]) < room:
            held[worker].append(free.pop())
    return {part: worker for worker, own in held.items() for part in own}


@frozen
class Done:
    """What came of a task.

    Args:
        task: what was given to `Cluster.submit`.
        reports: what it returned; None if it failed.
        problem: why it failed.
    """

    task: object
    reports: PartReports | None
    problem: str | None = None


class _Plugins:
    """The plugins that the workers of a client's cluster have from this module."""

    def __init__(self) -> None:
        #: How many sweeps and watches use each.
        self.users: Counter[str] = Counter()
        self.there: list[str] = []
        self._changing = Lock()

    @asynccontextmanager
    async def changing(self) -> AsyncGenerator[None]:
        """Let nobody else change them meanwhile, or take one for there that is only on its way."""
        while not self._changing.acquire(blocking=False):  # noqa: ASYNC110 - sweeps may run in several loops
            await anyio.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            self._changing.release()


#: By client.
_plugins: WeakKeyDictionary[Client, _Plugins] = WeakKeyDictionary()


class Cluster:
    """Runs parts of sweeps on the workers of a Dask cluster.

    Args:
        client: the program's client, asynchronous or not.
        targets: all hosts.
        options: how the hosts are treated.
        concurrency: hosts that are polled at once by one worker.

    Raises:
        TypeError: the client is none, or a target cannot be pickled.
    """

    def __init__(
        self, client: Client, targets: Sequence[Target], options: FleetOptions, concurrency: int
    ) -> None:
        if not isinstance(client, Client):
            raise InvalidArgumentTypeError(
                f"client must be a distributed.Client, not {type(client).__name__}"
            )
        content = check_pickling(targets) + pickle.dumps((options, concurrency))
        # Equal fleets share a plugin, and so the clients on the workers.
        name = f"srs-fleet-{hmac.digest(_key, content, 'sha256').hex()[:24]}"
        self._client = client
        # Dask's own types have gaps.
        self._calls: Any = client
        self._plugin = FleetPlugin(name, targets, options, concurrency)
        self._tasks: dict[_Future, object] = {}
        self._done: deque[_Future] = deque()
        self._wake = anyio.Event()
        self._later: Scheduler | None = None
        self._registered = False

    async def open(self) -> None:
        """Send the plugin to the workers, if it is not there.

        Raises:
            TimeoutError: the scheduler hangs.
        """
        self._later = scheduler_async()
        name, plugins = self._plugin.name, _plugins.setdefault(self._client, _Plugins())
        plugins.users[name] += 1
        self._registered = True
        async with plugins.changing():
            for other in list(plugins.there):
                # While another was removed, a sweep may have begun to use this one.
                if not plugins.users[other]:
                    plugins.there.remove(other)
                    del plugins.users[other]
                    await self._call(self._calls.unregister_worker_plugin, other)
            if name not in plugins.there:
                # Workers that come later get it from the scheduler.
                await self._call(self._calls.register_plugin, self._plugin)
                plugins.there.append(name)

    async def close(self) -> None:
        """Cancel what has been submitted, if that can be done soon; the plugin stays, for the next sweep."""
        if self._registered:
            self._registered = False
            _plugins[self._client].users[self._plugin.name] -= 1
        tasks, self._tasks = list(self._tasks), {}
        # Another task may be waiting for the next that ends.
        self._wake.set()
        if tasks and self._client.status == "running":
            # A scheduler that has just died, or hangs, is not to keep the program from going on.
            await async_clean_up(
                partial(self._call, self._calls.cancel, tasks),
                seconds=_SECONDS_TO_CANCEL,
                left="polls of a sweep by Dask were not cancelled",
            )

    async def workers(self) -> list[str]:
        """Return the addresses of the workers.

        Raises:
            RuntimeError: there is none.
            TimeoutError: the scheduler hangs.
        """
        workers = cast("Mapping[str, int]", await self._call(self._calls.nthreads))
        if not workers:
            raise RuntimeError("the Dask cluster has no workers")
        return sorted(workers)

    def submit(
        self, task: object, key: str, worker: str | None, part: str, names: list[str], within: float | None
    ) -> None:
        """Have hosts polled.

        Args:
            task: what is handed back with what came of it.
            key: Dask's key, which no other task has.
            worker: which worker has the hosts' clients; another takes over if it is lost.
            part: what the hosts are called together in this sweep.
            names: the hosts' names.
            within: seconds until the sweep's deadline, or None.
        """
        future: _Future = self._calls.submit(
            poll_part,
            self._plugin.name,
            part,
            names,
            within,
            key=key,
            workers=None if worker is None else [worker],
            allow_other_workers=worker is not None,
            pure=False,
        )
        self._tasks[future] = task
        cast("Any", future).add_done_callback(self._ended)

    async def next(self, seconds: float | None) -> list[Done]:
        """Wait for tasks to end.

        Args:
            seconds: to wait at most; None waits as long as it takes.

        Returns:
            What came of those that ended, perhaps nothing.

        Raises:
            TimeoutError: the scheduler hangs.
        """
        if not self._done:
            self._wake = anyio.Event()
            with anyio.move_on_after(seconds):
                await self._wake.wait()
        ended: list[_Future] = []
        while self._done:
            ended.append(self._done.popleft())
        good = [future for future in ended if future.status == "finished"]
        results: list[PartReports] = []
        if good:
            results = cast(
                "list[PartReports]", await self._call(partial(self._calls.gather, good, errors="raise"))
            )
        reports = dict(zip(good, results, strict=True))
        found: list[Done] = []
        for future in ended:
            problem = None if future in reports else await self._problem(future)
            found.append(Done(self._tasks.pop(future), reports.get(future), problem))
        return found

    async def _problem(self, future: _Future) -> str:
        if future.status != "error":
            return f"its task was {future.status}"
        error = await self._call(cast("Any", future).exception)
        return f"{type(error).__name__}: {error}"

    def _ended(self, future: _Future) -> None:
        # Called in the one thread that Dask has for this: it must not wait for a loop that may have stopped.
        if self._later is not None:
            self._later(partial(self._note, future))

    def _note(self, future: _Future) -> None:
        if future in self._tasks:
            self._done.append(future)
            self._wake.set()

    async def _call(self, function: Callable[..., Any], *args: object) -> object:
        with anyio.move_on_after(_SECONDS_TO_ANSWER):
            if self._client.asynchronous:
                return await function(*args)
            return await anyio.to_thread.run_sync(function, *args, abandon_on_cancel=True)
        raise TimeoutError(f"the Dask scheduler has not answered for {_SECONDS_TO_ANSWER:g} s")
