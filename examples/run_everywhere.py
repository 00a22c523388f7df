"""Run a script on many hosts; called again after a crash, it leaves out the hosts that are done.

``python examples/run_everywhere.py hosts.csv inventory.journal 'Get-VM | Select-Object Name'``; the file of
hosts has the headings ``name,url`` and perhaps ``ca_file`` or ``thumbprint``, the certificate to trust; user
and password come from SRS_USERNAME and SRS_PASSWORD.
"""

import sys

from srs_vsphere import EnvAuth, SrsFleet, read_targets


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: run_everywhere.py HOSTS.csv JOURNAL SCRIPT")
    _, hosts, journal, script = sys.argv
    failed = False
    try:
        targets = read_targets(hosts, auth=EnvAuth())
        with SrsFleet(targets, concurrency=50) as fleet:
            for result in fleet.run(script, output="json", journal=journal, name="everywhere"):
                if result.result is not None:
                    print(result.target.name, result.result.outcome, result.result.output, flush=True)
                elif result.earlier is not None:
                    print(result.target.name, f"ran before: {result.earlier.state}", flush=True)
                else:
                    failed = True
                    print(result.error, file=sys.stderr, flush=True)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    sys.exit(failed)


if __name__ == "__main__":
    main()
