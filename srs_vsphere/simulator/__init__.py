"""A stand-in for the service, for tests and development without a server; it does not run PowerShell.

A script is answered by a behaviour. A few forms of script are understood, such as literals, arithmetic,
`Write-Warning`, `Start-Sleep` or `throw`; for all others a test says with `Simulator.on_script` what comes
out of them. A script that is not understood ends in state ``error``, and its reason, which begins with
``simulator:``, names the construct. `Simulator` can also have a real PowerShell run scripts, where
one is installed.

One state machine, `Simulator`, has several doors: `SimServer` (a real server on loopback), `SimTransport` and
`SyncSimTransport` (in process, under httpx), `SimApp` (ASGI), `SimFleet` (many hosts), and on the command
line ``python -m srs_vsphere.simulator``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from srs_vsphere._lazy_names import loading, modules_of_names
from srs_vsphere.simulator.behaviours import ScriptBehaviour
from srs_vsphere.simulator.clock import Clock, SystemClock, VirtualClock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.script_log import ScriptRun
from srs_vsphere.simulator.scripting import ScriptCall, ScriptReply, StreamMessage
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.simulator import Simulator

if TYPE_CHECKING:
    from srs_vsphere.simulator.asgi import SimApp
    from srs_vsphere.simulator.fault_plan import FaultPlan
    from srs_vsphere.simulator.faults import Fault
    from srs_vsphere.simulator.fleet import SimFleet, SimHost
    from srs_vsphere.simulator.server import SimServer
    from srs_vsphere.simulator.transports import SimTransport, SyncSimTransport

__all__ = [
    "Clock",
    "Fault",
    "FaultPlan",
    "Reply",
    "Request",
    "ScriptBehaviour",
    "ScriptCall",
    "ScriptReply",
    "ScriptRun",
    "Settings",
    "SimApp",
    "SimFleet",
    "SimHost",
    "SimServer",
    "SimTransport",
    "Simulator",
    "StreamMessage",
    "SyncSimTransport",
    "SystemClock",
    "VirtualClock",
]

#: The doors bring asyncio, sockets and httpx along, so each loads on use.
__getattr__: Callable[[str], object] = loading(
    __name__,
    modules_of_names(
        __name__,
        {
            "asgi": "SimApp",
            "fault_plan": "FaultPlan",
            "faults": "Fault",
            "fleet": "SimFleet SimHost",
            "server": "SimServer",
            "transports": "SimTransport SyncSimTransport",
        },
    ),
)
