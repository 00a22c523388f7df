"""Start a script and print what it writes to its streams while it runs.

``python examples/follow_script.py '1..9 | % { Write-Host $_; Start-Sleep 1 }'``

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

import anyio

from srs_vsphere import AsyncSrsClient, SrsError, StreamGap


async def follow_script(script: str) -> None:
    async with AsyncSrsClient.from_env() as client, client.runspaces.open("follow_script") as runspace:
        started = await runspace.start(script)
        async for record in started.follow():
            if isinstance(record, StreamGap):
                print(f"{record.stream}: ... some were written too fast to be seen ...")
            else:
                time = f"{record.time:%H:%M:%S}" if record.time else "--:--:--"
                print(f"{time} {record.stream}: {record.message}")
        ended = await started.wait()
        print(f"ended with state {ended.state}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: follow_script.py SCRIPT")
    try:
        anyio.run(follow_script, sys.argv[1])
    except SrsError as error:
        sys.exit(str(error))
