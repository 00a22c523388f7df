"""Poll many hosts once, by the workers of a Dask cluster: two processes of this machine, or one you have.

``python examples/sweep_dask.py hosts.csv [tcp://scheduler:8786]``; the file of hosts has the headings
``name,url`` and perhaps ``ca_file`` or ``thumbprint``, the certificate to trust. Each worker reads user and
password from its own SRS_USERNAME and SRS_PASSWORD.
"""

import asyncio
import sys
from contextlib import AsyncExitStack

from distributed import Client, LocalCluster

from srs_vsphere import EnvAuth, Target, read_targets
from srs_vsphere.fleet.dask import sweep


async def poll(targets: list[Target], address: str | None) -> int:
    async with AsyncExitStack() as stack:
        cluster: str | LocalCluster | None = address
        if cluster is None:
            local = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", asynchronous=True)
            cluster = await stack.enter_async_context(local)
        client = await stack.enter_async_context(Client(cluster, asynchronous=True))
        failed = 0
        async for report in sweep(targets, client=client, deadline=30):
            if report.runspaces is None:
                failed += 1
                print(report.target.name, report.error, flush=True)
            else:
                print(report.target.name, len(report.runspaces), "runspaces", flush=True)
        return failed


def main() -> None:
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: sweep_dask.py HOSTS.csv [SCHEDULER]")
    try:
        targets = read_targets(sys.argv[1], auth=EnvAuth())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    sys.exit(asyncio.run(poll(targets, sys.argv[2] if len(sys.argv) == 3 else None)) > 0)


if __name__ == "__main__":
    main()
