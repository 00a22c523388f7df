"""The seam between tasks and threads: no slot is lost, limits hold, a client stays in its event loop."""

import _thread
import asyncio
import contextlib
import itertools
import random
import threading
import time

import anyio
import anyio.lowlevel
import pytest

from srs_vsphere._concurrency import completion as completion_module
from srs_vsphere._concurrency import stopping
from srs_vsphere._concurrency.clock import AsyncClock, Clock
from srs_vsphere._concurrency.completion import AsyncCompletion, Completion
from srs_vsphere._concurrency.limiter import AsyncLimiter, Limiter
from srs_vsphere._concurrency.loop_check import AsyncLoopCheck, LoopCheck
from srs_vsphere._concurrency.worker_pool import WorkerPool

# None of these is waited for: what is waited for comes at once, or the test fails.
LONG = 30.0


@pytest.mark.anyio
async def test_slots_are_free_until_all_are_taken():
    limiter = AsyncLimiter(2)
    assert limiter.free == 2
    for timeout in (LONG, -1):
        await limiter.acquire(timeout)
    assert limiter.free == 0
    for timeout in (0, -1):
        with pytest.raises(TimeoutError):
            await limiter.acquire(timeout)
    limiter.release()
    assert limiter.free == 1
    await limiter.acquire(0)
    assert limiter.free == 0


@pytest.mark.anyio
async def test_those_who_wait_are_served_in_turn():
    limiter = AsyncLimiter(1)
    served = []

    async def work(number):
        await limiter.acquire(LONG)
        served.append(number)
        # A free slot goes to who waits, not to who comes by.
        limiter.release()
        with pytest.raises(TimeoutError):
            await limiter.acquire(0)

    await limiter.acquire(LONG)
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(work, number)
            await anyio.wait_all_tasks_blocked()
        last = anyio.Event()

        async def at_last():
            await limiter.acquire(LONG)
            last.set()

        group.start_soon(at_last)
        await anyio.wait_all_tasks_blocked()
        limiter.release()
        await last.wait()
    assert served == [0, 1, 2]
    limiter.release()
    assert limiter.free == 1


@pytest.mark.anyio
@pytest.mark.parametrize("handed_over", [False, True])
async def test_who_is_cancelled_while_waiting_takes_no_slot_along(handed_over):
    limiter = AsyncLimiter(1)
    await limiter.acquire(LONG)

    async def work():
        await limiter.acquire(LONG)
        try:
            await anyio.sleep_forever()
        finally:
            limiter.release()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        if handed_over:
            limiter.release()
        group.cancel_scope.cancel()
    if not handed_over:
        limiter.release()
    assert limiter.free == 1


async def hold(limiter, held, chance, timeout):
    await limiter.acquire(timeout)
    held.append(None)
    try:
        for _ in range(chance.randrange(4)):
            await anyio.lowlevel.checkpoint()
    finally:
        held.pop()
        limiter.release()


@pytest.mark.anyio
async def test_no_slot_is_lost_among_many_cancelled():
    chance = random.Random(3)
    limiter, held, most = AsyncLimiter(5), [], 0

    async def one(scope):
        with contextlib.suppress(TimeoutError), scope:
            await hold(limiter, held, chance, chance.choice([LONG, LONG, LONG, 0.0, 1e-4]))

    async with anyio.create_task_group() as group:
        for _ in range(400):
            scopes = [anyio.CancelScope() for _ in range(3)]
            for scope in scopes:
                group.start_soon(one, scope)
            for _ in range(chance.randrange(3)):
                await anyio.lowlevel.checkpoint()
            most = max(most, len(held))
            chance.choice(scopes).cancel()
    assert limiter.free == 5
    assert held == []
    assert 1 < most <= 5


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_no_slot_is_lost_when_tasks_are_cancelled_asyncios_way():
    chance = random.Random(5)
    limiter, held = AsyncLimiter(3), []
    tasks = set()
    for _ in range(600):
        tasks.add(asyncio.create_task(hold(limiter, held, chance, LONG)))
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        if chance.random() < 0.4:
            chance.choice(list(tasks)).cancel()
        assert len(held) <= 3
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {type(None), asyncio.CancelledError}
    assert limiter.free == 3


def test_slots_for_threads():
    limiter = Limiter(2)
    for timeout in (LONG, -1):
        limiter.acquire(timeout)
    assert limiter.free == 0
    for timeout in (0, -1):
        with pytest.raises(TimeoutError):
            limiter.acquire(timeout)
    got = []

    def work():
        limiter.acquire(LONG)
        got.append(limiter.free)

    thread = threading.Thread(target=work)
    thread.start()
    limiter.release()
    thread.join(LONG)
    assert got == [0]
    limiter.release()
    limiter.release()
    assert limiter.free == 2


def test_no_more_threads_hold_a_slot_than_there_are():
    limiter, held, most = Limiter(3), [], []

    def work():
        for _ in range(200):
            limiter.acquire(LONG)
            held.append(None)
            most.append(len(held))
            held.pop()
            limiter.release()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(most) == 2000
    assert max(most) <= 3
    assert limiter.free == 3


@pytest.mark.anyio
async def test_at_home_in_every_task_of_a_loop():
    home, other = AsyncLoopCheck(), AsyncLoopCheck()

    async def check():
        home.check()
        other.check()

    home.check()
    async with anyio.create_task_group() as group:
        group.start_soon(check)
    await check()


@pytest.mark.parametrize("first", ["asyncio", "trio"])
@pytest.mark.parametrize("second", ["asyncio", "trio"])
def test_not_at_home_in_another_loop(first, second):
    home = AsyncLoopCheck()

    async def check():
        home.check()

    anyio.run(check, backend=first)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            anyio.run(check, backend=second)


@pytest.mark.anyio
async def test_a_loop_in_another_thread_is_another_loop():
    home = AsyncLoopCheck()
    home.check()

    def elsewhere():
        async def check():
            with pytest.raises(RuntimeError, match="another event loop"):
                home.check()

        anyio.run(check)
        return True

    assert await anyio.to_thread.run_sync(elsewhere)


def test_a_sync_client_is_at_home_everywhere():
    home = LoopCheck()
    home.check()
    thread = threading.Thread(target=home.check)
    thread.start()
    thread.join(LONG)


@pytest.mark.anyio
async def test_a_limit_ends_what_takes_longer():
    client_clock = AsyncClock()
    for seconds in (0, -1):
        with pytest.raises(TimeoutError), client_clock.limit(seconds):
            await anyio.sleep_forever()
    with client_clock.limit(LONG):
        await client_clock.sleep(0)
    with pytest.raises(ValueError, match="own"), client_clock.limit(LONG):
        raise ValueError("own")


@pytest.mark.anyio
async def test_no_cancellation_reaches_what_is_shielded():
    client_clock = AsyncClock()
    done = False
    with anyio.CancelScope() as outer:
        outer.cancel()
        with client_clock.shielded(LONG):
            await client_clock.sleep(0)
            done = True
        await client_clock.sleep(0)
        pytest.fail("the cancellation was lost")
    assert done
    with client_clock.shielded(0):
        await anyio.sleep_forever()


def test_pace_of_threads(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    client_clock = Clock()
    client_clock.sleep(5)
    assert slept == [5]
    for context in (client_clock.limit(0), client_clock.shielded(0)):
        with context:
            slept.append("done")
    assert slept == [5, "done", "done"]


@pytest.mark.parametrize("client_clock", [AsyncClock(), Clock()])
def test_time_and_chance(client_clock):
    before = time.monotonic()
    assert before <= client_clock.now() <= time.monotonic()
    numbers = {client_clock.random() for _ in range(100)}
    assert len(numbers) > 90
    assert all(0 <= number < 1 for number in numbers)


def test_a_ctrl_c_ends_the_waiting_for_a_slot():
    slots, interrupted, in_time = Limiter(1), threading.Event(), []
    slots.take()

    def interrupt():
        # As a signal that comes just before the wait, which does not end it.
        _thread.interrupt_main()
        in_time.append(interrupted.wait(60))
        slots.release()

    thread = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        slots.acquire(1e9)
    interrupted.set()
    thread.join()
    assert in_time == [True]


def test_work_goes_on_after_a_ctrl_c_and_is_undone():
    undone, interrupted = [], threading.Event()
    completion = Completion(undone.append)

    def work():
        _thread.interrupt_main()
        assert interrupted.wait(60)
        return "made"

    with pytest.raises(KeyboardInterrupt):
        completion.result_of(work)
    assert not completion.is_settled
    assert undone == []
    interrupted.set()
    completion.settle(60.0)
    assert completion.is_settled
    assert undone == ["made"]


def test_work_that_a_ctrl_c_came_before_is_never_done(monkeypatch):
    done, threads = [], []

    def interrupted():
        raise KeyboardInterrupt

    def late(do):
        thread = threading.Thread(target=do)
        monkeypatch.setattr(thread, "start", interrupted)
        threads.append(thread)
        return thread

    monkeypatch.setattr(completion_module, "_thread", late)
    completion = Completion(lambda made: pytest.fail("nothing is to be undone"))
    with pytest.raises(KeyboardInterrupt):
        completion.result_of(lambda: done.append(1))
    completion.settle(60.0)
    assert completion.is_settled
    # It may run all the same, a moment later.
    threading.Thread.start(threads[0])
    threads[0].join()
    assert done == []


def test_work_of_a_thread_returns_and_raises():
    completion = Completion(lambda made: pytest.fail("nothing is to be undone"))

    def fail():
        raise KeyError("no")

    def both():
        assert completion.result_of(lambda: 7) == 7
        with pytest.raises(KeyError, match="no"):
            completion.result_of(fail)

    both()
    thread = threading.Thread(target=both)
    thread.start()
    thread.join()
    assert completion.is_settled


@pytest.mark.anyio
async def test_work_that_nobody_waits_for_is_given_up(monkeypatch):
    monkeypatch.setattr("srs_vsphere._concurrency.completion._SECONDS_TO_GO_ON", 0.0)

    async def undo(made):
        pytest.fail("nothing is to be undone")

    completion = AsyncCompletion(undo)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(completion.result_of, anyio.sleep_forever)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    await completion.settle(60.0)
    assert completion.is_settled


def test_a_ctrl_c_while_workers_begin_ends_them(monkeypatch):
    begun = []

    class Interrupted(threading.Thread):
        def start(self):
            super().start()
            begun.append(self)
            if len(begun) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(threading, "Thread", Interrupted)
    pool = WorkerPool(3, itertools.repeat(None), lambda _: stopping.sleep(3600.0))
    with pytest.raises(KeyboardInterrupt), pool:
        pytest.fail("it was entered")
    for thread in begun:
        thread.join(60.0)
        assert not thread.is_alive()
