"""The seam between tasks and threads: no slot is lost, limits hold, a client stays in its event loop."""

import asyncio
import contextlib
import random
import threading
import time

import anyio
import anyio.lowlevel
import pytest

from srs_vsphere._concurrency import AsyncHome, AsyncPace, AsyncSlots, Home, Pace, Slots

# None of these is waited for: what is waited for comes at once, or the test fails.
LONG = 30.0


@pytest.mark.anyio
async def test_slots_are_free_until_all_are_taken():
    slots = AsyncSlots(2)
    assert slots.free == 2
    for timeout in (LONG, -1):
        await slots.acquire(timeout)
    assert slots.free == 0
    for timeout in (0, -1):
        with pytest.raises(TimeoutError):
            await slots.acquire(timeout)
    slots.release()
    assert slots.free == 1
    await slots.acquire(0)
    assert slots.free == 0


@pytest.mark.anyio
async def test_those_who_wait_are_served_in_turn():
    slots = AsyncSlots(1)
    served = []

    async def work(number):
        await slots.acquire(LONG)
        served.append(number)
        # A free slot goes to who waits, not to who comes by.
        slots.release()
        with pytest.raises(TimeoutError):
            await slots.acquire(0)

    await slots.acquire(LONG)
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(work, number)
            await anyio.wait_all_tasks_blocked()
        last = anyio.Event()

        async def at_last():
            await slots.acquire(LONG)
            last.set()

        group.start_soon(at_last)
        await anyio.wait_all_tasks_blocked()
        slots.release()
        await last.wait()
    assert served == [0, 1, 2]
    slots.release()
    assert slots.free == 1


@pytest.mark.anyio
@pytest.mark.parametrize("handed_over", [False, True])
async def test_who_is_cancelled_while_waiting_takes_no_slot_along(handed_over):
    slots = AsyncSlots(1)
    await slots.acquire(LONG)

    async def work():
        await slots.acquire(LONG)
        try:
            await anyio.sleep_forever()
        finally:
            slots.release()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        if handed_over:
            slots.release()
        group.cancel_scope.cancel()
    if not handed_over:
        slots.release()
    assert slots.free == 1


async def hold(slots, held, chance, timeout):
    await slots.acquire(timeout)
    held.append(None)
    try:
        for _ in range(chance.randrange(4)):
            await anyio.lowlevel.checkpoint()
    finally:
        held.pop()
        slots.release()


@pytest.mark.anyio
async def test_no_slot_is_lost_among_many_cancelled():
    chance = random.Random(3)
    slots, held, most = AsyncSlots(5), [], 0

    async def one(scope):
        with contextlib.suppress(TimeoutError), scope:
            await hold(slots, held, chance, chance.choice([LONG, LONG, LONG, 0.0, 1e-4]))

    async with anyio.create_task_group() as group:
        for _ in range(400):
            scopes = [anyio.CancelScope() for _ in range(3)]
            for scope in scopes:
                group.start_soon(one, scope)
            for _ in range(chance.randrange(3)):
                await anyio.lowlevel.checkpoint()
            most = max(most, len(held))
            chance.choice(scopes).cancel()
    assert slots.free == 5
    assert held == []
    assert 1 < most <= 5


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_no_slot_is_lost_when_tasks_are_cancelled_asyncios_way():
    chance = random.Random(5)
    slots, held = AsyncSlots(3), []
    tasks = set()
    for _ in range(600):
        tasks.add(asyncio.create_task(hold(slots, held, chance, LONG)))
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        if chance.random() < 0.4:
            chance.choice(list(tasks)).cancel()
        assert len(held) <= 3
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {type(None), asyncio.CancelledError}
    assert slots.free == 3


def test_slots_for_threads():
    slots = Slots(2)
    for timeout in (LONG, -1):
        slots.acquire(timeout)
    assert slots.free == 0
    for timeout in (0, -1):
        with pytest.raises(TimeoutError):
            slots.acquire(timeout)
    got = []

    def work():
        slots.acquire(LONG)
        got.append(slots.free)

    thread = threading.Thread(target=work)
    thread.start()
    slots.release()
    thread.join(LONG)
    assert got == [0]
    slots.release()
    slots.release()
    assert slots.free == 2


def test_no_more_threads_hold_a_slot_than_there_are():
    slots, held, most = Slots(3), [], []

    def work():
        for _ in range(200):
            slots.acquire(LONG)
            held.append(None)
            most.append(len(held))
            held.pop()
            slots.release()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(most) == 2000
    assert max(most) <= 3
    assert slots.free == 3


@pytest.mark.anyio
async def test_at_home_in_every_task_of_a_loop():
    home, other = AsyncHome(), AsyncHome()

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
    home = AsyncHome()

    async def check():
        home.check()

    anyio.run(check, backend=first)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            anyio.run(check, backend=second)


@pytest.mark.anyio
async def test_a_loop_in_another_thread_is_another_loop():
    home = AsyncHome()
    home.check()

    def elsewhere():
        async def check():
            with pytest.raises(RuntimeError, match="another event loop"):
                home.check()

        anyio.run(check)
        return True

    assert await anyio.to_thread.run_sync(elsewhere)


def test_a_sync_client_is_at_home_everywhere():
    home = Home()
    home.check()
    thread = threading.Thread(target=home.check)
    thread.start()
    thread.join(LONG)


@pytest.mark.anyio
async def test_a_limit_ends_what_takes_longer():
    pace = AsyncPace()
    for seconds in (0, -1):
        with pytest.raises(TimeoutError), pace.limit(seconds):
            await anyio.sleep_forever()
    with pace.limit(LONG):
        await pace.sleep(0)
    with pytest.raises(ValueError, match="own"), pace.limit(LONG):
        raise ValueError("own")


@pytest.mark.anyio
async def test_no_cancellation_reaches_what_is_shielded():
    pace = AsyncPace()
    done = False
    with anyio.CancelScope() as outer:
        outer.cancel()
        with pace.shielded(LONG):
            await pace.sleep(0)
            done = True
        await pace.sleep(0)
        pytest.fail("the cancellation was lost")
    assert done
    with pace.shielded(0):
        await anyio.sleep_forever()


def test_pace_of_threads(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    pace = Pace()
    pace.sleep(5)
    assert slept == [5]
    for context in (pace.limit(0), pace.shielded(0)):
        with context:
            slept.append("done")
    assert slept == [5, "done", "done"]


@pytest.mark.parametrize("pace", [AsyncPace(), Pace()])
def test_time_and_chance(pace):
    before = time.monotonic()
    assert before <= pace.now() <= time.monotonic()
    numbers = {pace.random() for _ in range(100)}
    assert len(numbers) > 90
    assert all(0 <= number < 1 for number in numbers)
