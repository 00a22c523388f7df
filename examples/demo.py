"""The main job on real bytes: stream the runspace list, async and sync, then from a server that misbehaves.

Starts the embedded simulator on a loopback socket, so it needs no server: ``python examples/demo.py``.
"""

import anyio

from srs_vsphere import (
    AsyncSrsClient,
    BasicAuth,
    RetryEvent,
    RetryPolicy,
    Runspace,
    SrsClient,
    StreamInterruptedError,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator

AUTH = BasicAuth("alice", "secret")
RETRY = RetryPolicy(backoff=0.1)


def furnish(simulator: Simulator) -> None:
    """Put a dozen runspaces there, in all the states they can be in."""
    for name in (
        "nightly report",
        "Überwachung",
        "sauvegarde d'été",
        "snapshot-čistka",
        "バックアップ",
        "audit",
    ):
        simulator.add_runspace(name=name)
    simulator.add_runspace(name="connected to vCenter", connected=True)
    simulator.add_runspace(name="inventory", state="creating")
    simulator.add_runspace(name="patching", state="creating", connected=True)
    simulator.add_runspace(
        name="broken",
        state="error",
        error_details={"code": 500, "error_message": "the pod could not be started"},
    )
    simulator.add_runspace(
        name="refused",
        state="error",
        connected=True,
        error_details={"code": 401, "error_message": "the single sign-on token was refused"},
    )
    simulator.add_runspace()


def show(runspace: Runspace) -> None:
    """Print one runspace in a line."""
    line = f"  {runspace.state!s:9} {runspace.name or '(no name)'}"
    if runspace.run_vc_connection_script:
        line += ", with vCenter"
    if runspace.error_details:
        line += f": {runspace.error_details.error_message} (code {runspace.error_details.code})"
    print(line)


async def stream_async(url: str) -> None:
    async with AsyncSrsClient(url, auth=AUTH) as client:
        about = await client.about()
        print(f"{about.name} {about.version} at {url}\n\nAsyncSrsClient streams:")
        async with client.runspaces.stream() as runspaces:
            async for runspace in runspaces:
                show(runspace)


def stream_sync(url: str) -> None:
    print("\nSrsClient streams:")
    with SrsClient(url, auth=AUTH) as client, client.runspaces.stream() as runspaces:
        for runspace in runspaces:
            show(runspace)


async def survive(server: SimServer) -> None:
    print("\nA flaky server:")
    refusal = server.faults.add(Fault(refuse=True))

    def on_retry(event: RetryEvent) -> None:
        print(f"    attempt {event.attempt} of {event.operation}: {event.reason}; next in {event.wait:.2f} s")
        if event.operation == "auth.login" and event.attempt == 2:
            server.faults.remove(refusal)

    async with AsyncSrsClient(server.url, auth=AUTH, retry=RETRY, on_retry=on_retry) as client:
        print("  connection refused, twice:")
        print(f"    {len(await client.runspaces.list())} runspaces: nothing had been sent, so it tried again")

        print("  503 with Retry-After:")
        with server.faults.armed(
            Fault(operation="runspaces.list", nth=1, status=503, headers=(("Retry-After", "1"),))
        ):
            print(f"    {len(await client.runspaces.list())} runspaces: it waited as long as it was asked to")

        print("  an expired session:")
        with server.faults.armed(Fault(operation="runspaces.list", nth=1, stale_session=True)):
            print(f"    {len(await client.runspaces.list())} runspaces: it logged in again and repeated it")

        print("  a body cut in the middle, of a list:")
        with server.faults.armed(Fault(operation="runspaces.list", nth=1, cut_after=900)):
            print(
                f"    {len(await client.runspaces.list())} runspaces: half a list is no list, it asked again"
            )

        print("  a body cut in the middle, of a stream:")
        with server.faults.armed(Fault(operation="runspaces.list", nth=1, cut_after=900)):
            try:
                async with client.runspaces.stream() as runspaces:
                    async for _ in runspaces:
                        pass
            except StreamInterruptedError as error:
                print(f"    {error.items_delivered} runspaces were out already, so it did not start over:")
                print(f"    {error}")


def main() -> None:
    simulator = Simulator(users={"alice": "secret"})
    furnish(simulator)
    with SimServer(simulator) as server:
        anyio.run(stream_async, server.url)
        stream_sync(server.url)
        anyio.run(survive, server)


if __name__ == "__main__":
    main()
