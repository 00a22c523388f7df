"""A stand-in for the service, for tests and development without a server; it does not run PowerShell.

A script is answered by a behaviour. A few forms of script are understood, such as literals, arithmetic,
`Write-Warning`, `Start-Sleep` or `throw`; for all others a test says with `Simulator.on_script` what comes
out of them. A script that nobody knows succeeds without output, and a warning in the log names it.
"""

from srs_vsphere.simulator.clock import Clock, SystemClock, VirtualClock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.scripting import ScriptCall, ScriptReply, StreamMessage
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.simulator import Simulator

__all__ = [
    "Clock",
    "Reply",
    "Request",
    "ScriptCall",
    "ScriptReply",
    "Settings",
    "Simulator",
    "StreamMessage",
    "SystemClock",
    "VirtualClock",
]
