"""Run a script on the server and print what comes of it.

``python examples/run_script.py 'Get-VM | Select-Object Name, PowerState'``

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

import anyio

from srs_vsphere import AsyncSrsClient, SrsError


async def run_script(script: str) -> bool:
    async with AsyncSrsClient.from_env() as client:
        # A runspace that is connected to vCenter is created for it, and deleted again whatever happens.
        result = await client.run(script, run_vc_connection_script=True, wait_for_quota=60)
    if result.output:
        print(result.output)
    for record in [*result.warnings, *result.errors]:
        print(f"{record.stream}: {record.message}", file=sys.stderr)
    why = f": {result.reason}" if result.reason else ""
    print(f"{result.outcome} after {result.duration or 0:.1f} s{why}", file=sys.stderr)
    return result.outcome == "succeeded"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: run_script.py SCRIPT")
    try:
        succeeded = anyio.run(run_script, sys.argv[1])
    except SrsError as error:
        sys.exit(str(error))
    sys.exit(0 if succeeded else 1)
