"""A script on many hosts: one runspace on each, deleted whatever happens, and a journal of what is done."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast
from uuid import uuid4

import anyio.to_thread
from attrs import frozen

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere.errors import OutcomeUnknownError, SrsError, WaitTimeoutError
from srs_vsphere.fleet.clients import ClientMaker
from srs_vsphere.fleet.journal import Journal
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import ScriptExecution
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import ScriptFailedError, ScriptResult
from srs_vsphere.settings import Origin

OutputT_co = TypeVar("OutputT_co", covariant=True)


@frozen
class HostResult(Generic[OutputT_co]):
    """What came of a script on one host.

    Args:
        target: the host.
        result: what came of the script; None if it could not be run, or ran before (see `earlier`).
        error: why it could not be run, or what is not known of it.
        earlier: the script execution of an earlier run with the same journal, which the service still knows
            although that run did not see its end; it was not run again.
        elapsed: seconds that it took.
        at: when it ended, with its time zone.
    """

    target: Target
    result: ScriptResult[OutputT_co] | None
    error: SrsError | None
    earlier: ScriptExecution | None
    elapsed: float
    at: datetime

    @property
    def ok(self) -> bool:
        """Whether the script was run and its result is here."""
        return self.result is not None

    def get(self) -> ScriptResult[OutputT_co]:
        """Return the result.

        Raises:
            SrsError: there is none.
        """
        if self.result is not None:
            return self.result
        if self.error is not None:
            raise self.error
        raise OutcomeUnknownError(
            "an earlier run began the script, and its result was not kept",
            operation="run",
            host=Origin.parse(self.target.url).host,
            advice="`earlier` has the script execution as the service has it.",
        )


def job_of(script: str, parameters: Parameters | None) -> str:
    """Return what tells one job from another in a journal, without saying what is in it.

    Args:
        script: the script.
        parameters: its parameters; their names count, their values do not, for one may be a password.
    """
    names = [item if isinstance(item, str) else item.name for item in parameters or ()]
    return hashlib.sha256("\0".join([script, *names]).encode("utf-8", "surrogatepass")).hexdigest()


class Runner:
    """Runs one script on hosts, one after the other; several may be under way at once.

    Args:
        options: how the hosts are treated.
        clients: makes the hosts' clients.
        script: the script.
        run_options: what `AsyncSrsClient.run` takes besides.
        journal: where is noted what was done, or None.
    """

    def __init__(
        self,
        options: FleetOptions,
        clients: ClientMaker,
        script: str,
        run_options: dict[str, object],
        journal: Journal | None,
    ) -> None:
        self._options = options
        self._clients = clients
        self._script = script
        self._run_options = run_options
        self._journal = journal
        name = cast("str | None", run_options.get("name"))
        self._prefix = "fleet" if name is None else name

    async def run(self, target: Target) -> HostResult[object] | None:
        """Run the script on a host, unless an earlier run did.

        Returns:
            What came of it: whatever a host does is in the result, and raises nothing. None if the script was
            not started, since the journal cannot be written.
        """
        begun = time.monotonic()
        result: ScriptResult[object] | None = None
        error: SrsError | None = None
        earlier: ScriptExecution | None = None
        try:
            client, _ = self._clients.make(target, operation="run", retry=self._options.retry, connections=20)
            async with client:
                earlier = await self._earlier(client, target)
                if earlier is None:
                    result = await self._run(client, target)
        except SrsError as failure:
            error = failure.with_traceback(None)
            error.__cause__ = error.__context__ = None
        except OSError:
            if self._journal is None or self._journal.problem is None:
                raise
            return None
        return HostResult(target, result, error, earlier, time.monotonic() - begun, datetime.now(UTC))

    async def _run(self, client: AsyncSrsClient, target: Target) -> ScriptResult[object]:
        # A name of its own on each host finds the execution again after a crash.
        name = f"{self._prefix}-{uuid4()}"
        if self._journal is not None:
            await anyio.to_thread.run_sync(self._journal.begin, target.name, name)
        options: dict[str, Any] = {**self._run_options, "name": name}
        try:
            result = cast("ScriptResult[object]", await client.run(self._script, **options))
        except ScriptFailedError as error:
            await self._ended(target, error.result.outcome)
            raise
        except WaitTimeoutError as error:
            # Of one that was not started, the error may show another script: what it waited for.
            if error.started:
                await self._ended(target, "timeout")
            raise
        await self._ended(target, result.outcome)
        return result

    async def _ended(self, target: Target, outcome: str) -> None:
        if self._journal is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._journal.end, target.name, str(outcome))

    async def _earlier(self, client: AsyncSrsClient, target: Target) -> ScriptExecution | None:
        """Look whether the service knows the execution that an earlier run began, and wait for its end."""
        name = self._journal.begun.get(target.name) if self._journal is not None else None
        if name is None:
            return None
        found = [execution for execution in await client.script_executions.list() if execution.name == name]
        if not found:
            await self._delete_left(client, name)
            return None
        earlier = found[-1]
        if not earlier.stuck:
            timeout = cast("float | None", self._run_options.get("timeout", 3600.0))
            earlier = await client.script_executions.wait(earlier.id, timeout=timeout)
        await self._delete_left(client, name)
        await self._ended(target, str(earlier.state))
        return earlier

    async def _delete_left(self, client: AsyncSrsClient, name: str) -> None:
        """Delete the runspace that an earlier run made for an execution, if it is still there."""
        for runspace in await client.runspaces.list():
            # `AsyncSrsClient.run` has the name of its runspace begin with that of the execution.
            if runspace.name is not None and runspace.name.startswith(f"{name}-"):
                await client.runspaces.delete(runspace.id)
