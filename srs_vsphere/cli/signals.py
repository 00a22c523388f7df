"""What SIGTERM, SIGHUP and Ctrl-C do to a command: an exception ends its blocks, which clean up."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from srs_vsphere.cli.problems import Terminated

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType


def end_on_signals() -> None:
    """Have SIGTERM, and SIGHUP when the terminal is closed, raise `Terminated` in the main thread."""
    sys.unraisablehook = _raise_again
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # `nohup` has SIGHUP ignored.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _terminate)


def run_until_signal(work: Coroutine[object, object, None]) -> None:
    """Run what is asynchronous on asyncio, and cancel it on a signal.

    What a handler raises within another task's step would end that task only, and the signal would be lost.

    Args:
        work: what to run.

    Raises:
        Terminated: a signal came.
        KeyboardInterrupt: Ctrl-C came.
    """
    import asyncio

    numbers: list[int] = []

    async def cancellable() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def cancel(number: int, frame: FrameType | None) -> None:
            del frame
            # A second one must not break off the clean-up.
            signal.signal(number, signal.SIG_IGN)
            numbers.append(number)
            if task is not None:
                task.cancel()
            # The loop may be waiting for its sockets.
            loop.call_soon_threadsafe(lambda: None)

        for number in signal.valid_signals():
            if signal.getsignal(number) == _terminate:
                signal.signal(number, cancel)
        await work

    try:
        asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not numbers:
            raise
    if numbers:
        raise Terminated(numbers[0])


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Send a signal again whose exception Python had to ignore, as where it drops the lock of an import."""
    error = unraisable.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = int(signal.SIGINT)
    elif isinstance(error, Terminated):
        number = error.number
        signal.signal(number, _terminate)
    else:
        sys.__unraisablehook__(unraisable)
        return
    again = threading.Timer(0.05, _send, (number,))
    again.daemon = True
    again.start()


def _send(number: int) -> None:
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        # To the thread that is to be woken, whatever it waits for.
        signal.pthread_kill(threading.main_thread().ident or 0, number)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    # A second one must not break off the clean-up.
    signal.signal(number, signal.SIG_IGN)
    raise Terminated(number)
