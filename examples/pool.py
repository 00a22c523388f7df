"""Run one script for many inputs in a pool of runspaces, and print each result when it is there.

``python examples/pool.py https://srs.example.com alice vm-1 vm-2``; the password comes from
SRS_PASSWORD, and from SRS_CA_FILE or SRS_THUMBPRINT what certificate to trust.
"""

import os
import sys

import anyio

from srs_vsphere import AsyncRunspacePool, AsyncSrsClient, BasicAuth, SrsError, Tls

SCRIPT = "param($Name) Get-VM -Name $Name | Select-Object Name, PowerState"


async def ask(url: str, auth: BasicAuth, tls: Tls, names: list[str]) -> None:
    inputs = [{"Name": name} for name in names]
    async with (
        AsyncSrsClient(url, auth=auth, tls=tls) as client,
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


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit("usage: pool.py URL USERNAME NAME ...")
    url, username, *names = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    tls = Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT"))
    try:
        anyio.run(ask, url, auth, tls, names)
    except SrsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
