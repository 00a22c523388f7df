"""Start a script and print what it writes to its streams while it runs.

``python examples/follow_script.py https://srs.example.com alice '1..9 | % { Write-Host $_; Start-Sleep 1 }'``

The password comes from the environment variable SRS_PASSWORD, and from SRS_CA_FILE or SRS_THUMBPRINT
what certificate to trust.
"""

import os
import sys

import anyio

from srs_vsphere import AsyncSrsClient, BasicAuth, SrsError, StreamGap, Tls


async def follow_script(url: str, auth: BasicAuth, tls: Tls, script: str) -> None:
    async with (
        AsyncSrsClient(url, auth=auth, tls=tls) as client,
        client.runspaces.open("follow_script") as runspace,
    ):
        execution = await client.script_executions.create(runspace.id, script)
        async for record in client.script_executions.follow(execution.id):
            if isinstance(record, StreamGap):
                print(f"{record.stream}: ... some were written too fast to be seen ...")
            else:
                time = f"{record.time:%H:%M:%S}" if record.time else "--:--:--"
                print(f"{time} {record.stream}: {record.message}")
        ended = await client.script_executions.wait(execution.id)
        print(f"ended with state {ended.state}")


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: follow_script.py URL USERNAME SCRIPT")
    url, username, script = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    try:
        anyio.run(
            follow_script,
            url,
            auth,
            Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT")),
            script,
        )
    except SrsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
