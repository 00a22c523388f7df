"""Delete the runspaces that ended in error, from a plain script without a coroutine in sight.

The service and the credentials come from the environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, and perhaps
SRS_CA_FILE or SRS_THUMBPRINT.
"""

import sys

from srs_vsphere import RunspaceState, SrsClient, SrsError


def main() -> None:
    with SrsClient.from_env() as client:
        for runspace in client.runspaces.list():
            if runspace.state == RunspaceState.ERROR:
                why = runspace.error_details.error_message if runspace.error_details else None
                print(f"deleting {runspace.name or runspace.id}: {why or 'no reason given'}")
                client.runspaces.delete(runspace.id)


if __name__ == "__main__":
    try:
        main()
    except SrsError as error:
        sys.exit(str(error))
