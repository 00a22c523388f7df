"""Watch all runspaces of many hosts, and go on where the last watch was left.

``python examples/watch_fleet.py hosts.csv state.json``; the file of hosts has the headings ``name,url`` and
perhaps ``ca_file`` or ``thumbprint``, the certificate to trust; user and password come from SRS_USERNAME and
SRS_PASSWORD. It ends with Ctrl-C.
"""

import sys
from contextlib import suppress

import anyio

from srs_vsphere import (
    AsyncSrsFleet,
    EnvAuth,
    FleetSnapshot,
    HostDown,
    HostUp,
    SweepEnded,
    SweepLate,
    Target,
    read_targets,
)


async def watch(targets: list[Target], state: anyio.Path, interval: float) -> None:
    saved = FleetSnapshot.from_json(await state.read_text()) if await state.exists() else None
    async with AsyncSrsFleet(targets) as fleet, fleet.watch(interval=interval, resume=saved) as events:
        async for event in events:
            match event:
                case SweepEnded(number=number, hosts=hosts, failed=failed, skipped=skipped):
                    await state.write_text(events.snapshot().to_json())
                    print(f"sweep {number}: {hosts} hosts, {failed} failed, {skipped} skipped", flush=True)
                case SweepLate(behind=behind):
                    print(f"the interval is too short: {behind:.1f} s behind", flush=True)
                case HostUp(target=target):
                    print(f"{target.name} is up", flush=True)
                case HostDown(target=target, error=error):
                    print(f"{target.name} is down: {error}", flush=True)
                case _:
                    kind = type(event).__name__.removeprefix("Runspace").lower()
                    print(f"{event.target.name}: {event.runspace.name} {kind}", flush=True)


def main() -> None:
    if len(sys.argv) not in {3, 4}:
        sys.exit("usage: watch_fleet.py HOSTS.csv STATE.json [INTERVAL]")
    try:
        interval = float(sys.argv[3]) if len(sys.argv) == 4 else 5.0
        targets = read_targets(sys.argv[1], auth=EnvAuth())
        with suppress(KeyboardInterrupt):
            anyio.run(watch, targets, anyio.Path(sys.argv[2]), interval)
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
