"""List the runspaces of a service: ``python examples/list_runspaces.py``.

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

import anyio

from srs_vsphere import AsyncSrsClient, SrsError


async def main() -> None:
    async with AsyncSrsClient.from_env() as client, client.runspaces.stream() as runspaces:
        async for runspace in runspaces:
            print(runspace.id, runspace.state, runspace.name or "-")


if __name__ == "__main__":
    try:
        anyio.run(main)
    except SrsError as error:
        sys.exit(str(error))
