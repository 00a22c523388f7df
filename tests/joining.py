"""Waiting for threads, with a limit."""

from collections.abc import Iterable
from threading import Thread


def join_all(threads: Iterable[Thread]) -> None:
    """Wait for the end of all threads: one that hangs is an error, and holds up nobody else."""
    threads = list(threads)
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread of the test's server hangs"
