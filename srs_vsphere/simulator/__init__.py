"""A stand-in for the service, for tests and development without a server.

It does not run PowerShell. A script is answered by a behaviour: a few forms of script are understood, such as
literals, `Write-Warning` or `throw`, and for all others a test says what comes out of them.
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
