"""Run one script for many inputs in a pool of runspaces, and print each result when it is there.

``python examples/pool.py vm-1 vm-2``

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

import anyio

from srs_vsphere import AsyncRunspacePool, AsyncSrsClient, SrsError

SCRIPT = "param($Name) Get-VM -Name $Name | Select-Object Name, PowerState"


async def ask(names: list[str]) -> None:
    inputs = [{"Name": name} for name in names]
    async with (
        AsyncSrsClient.from_env() as client,
        AsyncRunspacePool(client, size=2, run_vc_connection_script=True) as pool,
        pool.map(SCRIPT, inputs, output="json") as results,
    ):
        async for result in results:
            name = names[result.index]
            if result.error is not None:
                print(f"{name}: {result.error}")
            else:
                answer = result.get()
                print(f"{name}: {answer.outcome} {answer.output}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: pool.py NAME ...")
    try:
        anyio.run(ask, sys.argv[1:])
    except SrsError as error:
        sys.exit(str(error))
