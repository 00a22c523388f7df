"""Run a script on the server and print what comes of it.

``python examples/run_script.py https://srs.example.com alice 'Get-VM | Select-Object Name, PowerState'``

The password comes from the environment variable SRS_PASSWORD, and from SRS_CA_FILE or SRS_THUMBPRINT
what certificate to trust.
"""

import os
import sys

import anyio

from srs_vsphere import AsyncSrsClient, BasicAuth, SrsError, Tls


async def run_script(url: str, auth: BasicAuth, tls: Tls, script: str) -> bool:
    async with AsyncSrsClient(url, auth=auth, tls=tls) as client:
        # A runspace that is connected to vCenter is created for it, and deleted again whatever happens.
        result = await client.run(script, run_vc_connection_script=True, wait_for_quota=60)
    if result.output:
        print(result.output)
    for record in [*result.warnings, *result.errors]:
        print(f"{record.stream}: {record.message}", file=sys.stderr)
    why = f": {result.reason}" if result.reason else ""
    print(f"{result.outcome} after {result.duration or 0:.1f} s{why}", file=sys.stderr)
    return result.outcome == "succeeded"


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: run_script.py URL USERNAME SCRIPT")
    url, username, script = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    tls = Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT"))
    try:
        succeeded = anyio.run(run_script, url, auth, tls, script)
    except SrsError as error:
        sys.exit(str(error))
    sys.exit(0 if succeeded else 1)


if __name__ == "__main__":
    main()
