"""Turns: scripts in one runspace run one after the other, however a client starts them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from srs_vsphere._concurrency.limiter import AsyncLimiter

if TYPE_CHECKING:
    from srs_vsphere._async.script_run import AsyncScriptRun


@frozen
class Unfinished:
    """A script that may be running, and whose end was not read.

    Args:
        name: its name.
        id: its id; None if it is unknown whether it was started.
    """

    name: str
    id: str | None = None


@define(eq=False)
class AsyncScriptTurn:
    """The turns in one runspace.

    Args:
        runspace_id: the runspace.
        limiter: held during a turn.
        unfinished: a script whose end was not read.
        started: a script that was started and left running, with what is known of it.
        failed: whether the runspace lost a script, or could not be reached.
        users: how many hold it or wait for it.
    """

    runspace_id: str
    limiter: AsyncLimiter = field(factory=lambda: AsyncLimiter(1))
    unfinished: Unfinished | None = None
    started: AsyncScriptRun | None = None
    failed: bool = False
    users: int = 0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the runspace may not be good for another script."""
        return self.failed or self.unfinished is not None


class AsyncScriptTurns:
    """The turns in all runspaces of a client.

    The service takes a script as soon as the one before it has ended, but then loses sight of that one, and
    reports it as lost although it succeeded.
    """

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Begin without any turn, as in a process that was just forked."""
        self._turns: dict[str, AsyncScriptTurn] = {}
        self._lock = threading.Lock()

    async def take(self, runspace_id: str, timeout: float | None) -> AsyncScriptTurn:
        """Take the turn in a runspace.

        Args:
            runspace_id: the runspace.
            timeout: seconds to wait for it; None for as long as it takes.

        Raises:
            TimeoutError: it did not come in time.
        """
        with self._lock:
            turn = self._turns.setdefault(runspace_id, AsyncScriptTurn(runspace_id))
            turn.users += 1
        try:
            await turn.limiter.acquire(timeout)
        except BaseException:
            self._leave(turn)
            raise
        return turn

    def give_back(self, turn: AsyncScriptTurn) -> None:
        """Give a turn back."""
        turn.limiter.release()
        self._leave(turn)

    def is_in_doubt(self, runspace_id: str) -> bool:
        """Tell whether a runspace may not be good for another script."""
        with self._lock:
            turn = self._turns.get(runspace_id)
            return turn is not None and turn.is_in_doubt

    def forget(self, runspace_id: str) -> None:
        """Forget what was left unfinished in a runspace that is gone."""
        with self._lock:
            turn = self._turns.get(runspace_id)
            if turn is not None:
                turn.unfinished, turn.started, turn.failed = None, None, False
                self._drop(turn)

    def _leave(self, turn: AsyncScriptTurn) -> None:
        with self._lock:
            turn.users -= 1
            self._drop(turn)

    def _drop(self, turn: AsyncScriptTurn) -> None:
        if not turn.users and not turn.is_in_doubt:
            self._turns.pop(turn.runspace_id, None)
