"""Get objects of a class of your own out of a script: the machines that have at least so many processors.

``python examples/structured_output.py https://srs.example.com alice 4``

The runspace is connected to vCenter as the user who logs in. The password comes from the environment variable
SRS_PASSWORD, and from SRS_CA_FILE or SRS_THUMBPRINT
what certificate to trust.
"""

import os
import sys

import anyio
from attrs import define

from srs_vsphere import AsyncSrsClient, BasicAuth, ScriptFailedError, SrsError, Tls

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


async def machines(url: str, auth: BasicAuth, tls: Tls, at_least: int) -> list[Machine]:
    async with AsyncSrsClient(url, auth=auth, tls=tls) as client:
        result = await client.run(
            SCRIPT,
            output="json",
            output_type=Machine,
            parameters={"AtLeast": at_least},
            run_vc_connection_script=True,
            check=True,
        )
    return result.output


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: structured_output.py URL USERNAME CPUS")
    url, username, at_least = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    tls = Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT"))
    try:
        for machine in anyio.run(machines, url, auth, tls, int(at_least)):
            print(f"{machine.name}: {machine.cpus} processors, {sum(machine.disks):g} GB")
    except ScriptFailedError as error:
        sys.exit(f"the script {error.result.outcome}: {error}")
    except SrsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
