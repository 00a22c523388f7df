#!/bin/sh
# Run a PowerCLI script when a vCenter alarm goes off: the alarm's action is "run script" with
#
#     /usr/local/bin/alarm_action.sh /usr/local/share/alarms/notify.ps1
#
# vCenter tells of the alarm in variables. They reach the script as its parameters, whatever is in them: nothing of
# them is ever part of a script or of JSON. The service's address and the credentials come from SRS_URL, SRS_USERNAME
# and SRS_PASSWORD_FILE, or from the profile that SRS_PROFILE names. The runspace is deleted and the session ended
# when the script has ended, and when this is told to stop, too.
#
# Exit status: that of `srs run`, such as 0 for success, 1 for a script that failed, 8 for one that took too long.
set -eu

if [ "$#" -ne 1 ]; then
    echo "usage: alarm_action.sh SCRIPT.ps1" >&2
    exit 2
fi

exec srs --no-session run "$1" --vcenter --timeout 10m --wait-quota 2m \
    --text "Alarm=${VMWARE_ALARM_NAME-}" \
    --text "Target=${VMWARE_ALARM_TARGET_NAME-}" \
    --text "TargetId=${VMWARE_ALARM_TARGET_ID-}" \
    --text "OldStatus=${VMWARE_ALARM_OLDSTATUS-}" \
    --text "NewStatus=${VMWARE_ALARM_NEWSTATUS-}" \
    --text "Summary=${VMWARE_ALARM_EVENTDESCRIPTION-}"
