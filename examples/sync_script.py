"""Delete the runspaces that ended in error, from a plain script without a coroutine in sight.

``python examples/sync_script.py https://srs.example.com alice``; the password comes from SRS_PASSWORD,
and from SRS_CA_FILE or SRS_THUMBPRINT what certificate to trust.
"""

import os
import sys

from srs_vsphere import BasicAuth, RunspaceState, SrsClient, SrsError, Tls


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: sync_script.py URL USERNAME")
    url, username = sys.argv[1:]
    auth = BasicAuth(username, os.environ["SRS_PASSWORD"])
    tls = Tls(ca_file=os.environ.get("SRS_CA_FILE"), thumbprint=os.environ.get("SRS_THUMBPRINT"))
    try:
        with SrsClient(url, auth=auth, tls=tls) as client:
            for runspace in client.runspaces.list():
                if runspace.state == RunspaceState.ERROR:
                    why = (
                        runspace.error_details.error_message if runspace.error_details else "no reason given"
                    )
                    print(f"deleting {runspace.name or runspace.id}: {why or 'no reason given'}")
                    client.runspaces.delete(runspace.id)
    except SrsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
