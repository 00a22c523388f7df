"""Get objects of a class of your own out of a script: the machines that have at least so many processors.

``python examples/structured_output.py 4``

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

import anyio
from attrs import define

from srs_vsphere import AsyncSrsClient, ScriptFailedError, SrsError

SCRIPT = """\
param([int] $AtLeast)
Get-VM | Where-Object NumCpu -ge $AtLeast | ForEach-Object {
    @{ name = $_.Name; cpus = $_.NumCpu; disks = @($_ | Get-HardDisk | ForEach-Object CapacityGB) }
}
"""


@define
class Machine:
    name: str
    cpus: int
    disks: list[float]


async def machines(at_least: int) -> list[Machine]:
    async with AsyncSrsClient.from_env() as client:
        result = await client.run(
            SCRIPT,
            output="json",
            output_type=Machine,
            parameters={"AtLeast": at_least},
            run_vc_connection_script=True,
            check=True,
        )
    return result.output


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit("usage: structured_output.py CPUS")
    try:
        for machine in anyio.run(machines, int(sys.argv[1])):
            print(f"{machine.name}: {machine.cpus} processors, {sum(machine.disks):g} GB")
    except ScriptFailedError as error:
        sys.exit(f"the script {error.result.outcome}: {error}")
    except SrsError as error:
        sys.exit(str(error))
