"""Poll many hosts by TaskIQ workers: each task polls a share of them, with clients that its worker keeps.

The broker here runs in this process: ``python examples/sweep_taskiq.py hosts.csv``. With a broker of your
own, such as ``taskiq_redis.ListQueueBroker``, start workers with ``taskiq worker sweep_taskiq:broker``. The
file of hosts has the headings ``name,url`` and perhaps ``ca_file`` or ``thumbprint``, the certificate to
trust; each worker reads SRS_USERNAME and SRS_PASSWORD.
"""

import asyncio
import sys
from contextlib import ExitStack
from typing import Annotated

from taskiq import Context, InMemoryBroker, TaskiqDepends, TaskiqEvents, TaskiqState

from srs_vsphere import EnvAuth, SrsFleet, Target, Tls, read_targets

SHARE = 200

Host = tuple[str, str, dict[str, str | None]]

broker = InMemoryBroker()


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
def begin(state: TaskiqState) -> None:
    state.stack, state.fleets = ExitStack(), {}


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
def end(state: TaskiqState) -> None:
    state.stack.close()


@broker.task
def poll_share(hosts: list[Host], context: Annotated[Context, TaskiqDepends()]) -> dict[str, str]:
    """Poll some hosts. Names, addresses and certificates to trust travel, credentials do not."""
    state = context.state
    key = tuple(name for name, _, _ in hosts)
    if key not in state.fleets:
        # The same share finds its clients, sessions and circuit breakers again.
        fleet = SrsFleet([Target(name, url, EnvAuth(), Tls(**trust)) for name, url, trust in hosts])
        state.fleets[key] = state.stack.enter_context(fleet)
    found: dict[str, str] = {}
    for report in state.fleets[key].poll(deadline=30):
        known = report.runspaces
        found[report.target.name] = str(report.error) if known is None else f"{len(known)} runspaces"
    return found


async def sweep(targets: list[Target]) -> None:
    await broker.startup()
    hosts = [
        (target.name, target.url, {"ca_file": target.tls.ca_file, "thumbprint": target.tls.thumbprint})
        for target in targets
    ]
    shares = [hosts[first : first + SHARE] for first in range(0, len(hosts), SHARE)]
    tasks = [await poll_share.kiq(share) for share in shares]
    for task in tasks:
        result = await task.wait_result(timeout=60)
        for name, found in result.return_value.items():
            print(name, found)
    await broker.shutdown()


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: sweep_taskiq.py HOSTS.csv")
    try:
        targets = read_targets(sys.argv[1], auth=EnvAuth())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    asyncio.run(sweep(targets))


if __name__ == "__main__":
    main()
