"""List the runspaces of a service: ``python examples/list_runspaces.py https://srs.example.com alice``.

The password comes from the environment variable SRS_PASSWORD, and from SRS_CA_FILE or SRS_THUMBPRINT
what certificate to trust.
"""

import os
import sys

import anyio

from srs_vsphere import AsyncSrsClient, BasicAuth, SrsError, Tls


async def list_runspaces(url: str, auth: BasicAuth, tls: Tls) -> None:
    async with AsyncSrsClient(url, auth=auth, tls=tls) as client, client.runspaces.stream() as runspaces:
        async for runspace in runspaces:
            print(runspace.id, runspace.state, runspace.name or "-")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: list_runspaces.py URL USERNAME")
    url, username = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    try:
        anyio.run(
            list_runspaces,
            url,
            auth,
            Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT")),
        )
    except SrsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
