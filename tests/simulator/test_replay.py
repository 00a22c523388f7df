"""The simulator against what the real service answered, exchange by exchange.

A difference is a fault of the simulator unless its label is listed here with the reason why it must be. A
listed label whose difference is gone has to leave the list.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from srs_vsphere.simulator import Request, ScriptReply, StreamMessage
from srs_vsphere.simulator.objects.values import Char, EnumValue, OrderedDictionary, Version
from tests.recorded_exchanges import exchanges as recorded
from tests.simulator.replaying import play

USERS = {"alice": "secret", "bob": "secret", "ålice@VSPHERE.LOCAL": "secret"}
NGINX = "a page of nginx, which the recorder had put in front of the service"
#: What cannot match, with the reason.
EXCEPTIONS = {
    "faults": {
        "through nginx: body of 2 MB (request shortened here)": NGINX,
        "through nginx: a header line of 9 kB (shortened here)": NGINX,
        "through nginx with a read timeout of 5 s: start in a runspace that hangs": NGINX,
    }
}
FILES = (
    "auth",
    "routing",
    "runspaces",
    "script_executions",
    "faults",
    "argument_scripts",
    "web_consoles",
    "sign",
)

#: What PowerShell wrote where the modules of PowerCLI were not installed.
WITHOUT_POWERCLI = [
    *(
        f"The specified module '{module}' was not loaded because no valid module file was found in any "
        "module directory."
        for module in ("VMware.VimAutomation.Security", "VMware.VimAutomation.Cis.Core")
    ),
    "Cannot find type [VMware.VimAutomation.Common.Util10.Authentication.RawStringSamlSecurityContext]: "
    "verify that the assembly containing this type is loaded.",
    "The term 'Connect-VIServer' is not recognized as a name of a cmdlet, function, script file, or "
    "executable program.\nCheck the spelling of the name, or if a path was included, verify that the path is "
    "correct and try again.",
]
RESET = "Unable to read data from the transport connection: Connection reset by peer."


NOON = datetime(2013, 3, 3, 12, tzinfo=UTC)
MONDAY = EnumValue("System.DayOfWeek", "Monday", 1)
#: What comes out of scripts that use more of PowerShell than the simulator understands.
BEHAVIOURS = {
    "script_executions": {
        "'x'*300; [pscustomobject]@{col1='a'*90;col2='b'*90;col3='c'*90} | Format-Table": ScriptReply(
            output=["x" * 300, {"col1": "a" * 90, "col2": "b" * 90, "col3": "c" * 90}]
        ),
        "'s'; 1; 2.5; $true; [decimal]1.1; [char]'c'; [long]9007199254740993": ScriptReply(
            output=["s", 1, 2.5, True, Decimal("1.1"), Char("c"), 9007199254740993]
        ),
        "[datetime]::new(2013,3,3,12,0,0,[DateTimeKind]::Utc); "
        "[pscustomobject]@{when=[datetime]::new(2013,3,3,12,0,0,[DateTimeKind]::Utc)}": ScriptReply(
            output=[NOON, {"when": NOON}]
        ),
        "[ordered]@{a=1;b=2}; [guid]'11111111-2222-3333-4444-555555555555'; "
        "[timespan]::FromSeconds(90); [version]'1.2.3'": ScriptReply(
            output=[
                OrderedDictionary({"a": 1, "b": 2}),
                UUID("11111111-2222-3333-4444-555555555555"),
                timedelta(seconds=90),
                Version("1.2.3"),
            ]
        ),
        "[System.DayOfWeek]::Monday; [pscustomobject]@{d=[System.DayOfWeek]::Monday}": ScriptReply(
            output=[MONDAY, {"d": MONDAY}]
        ),
        "@{a=@{b=@(1,2,@{c=3})}} | ConvertTo-Json -Depth 9 -Compress": ScriptReply(
            output=['{"a":{"b":[1,2,{"c":3}]}}']
        ),
    }
}


def connect_without_powercli(replay):
    replay.simulator.slow_creation(3)
    replay.simulator.on_script(
        "powerclivclogin",
        ScriptReply(records=[StreamMessage("error", message) for message in WITHOUT_POWERCLI]),
    )


def newest(replay):
    return list(replay.simulator.runspaces)[-1]


def die_after_a_second(replay):
    replay.clock.advance(1)
    replay.simulator.kill_runspace(newest(replay))


def kill_all(replay):
    for runspace in replay.simulator.runspaces:
        replay.simulator.kill_runspace(runspace)


BEFORE = {
    "runspaces": {
        "create: the pod cannot be started": lambda replay: replay.simulator.fail_creation(),
        "create: the pod fails later": lambda replay: replay.simulator.fail_pod(),
        "list: the provider fails": lambda replay: replay.simulator.fail_list(),
        "get: the provider fails": lambda replay: replay.simulator.fail_get(),
        "delete: the pod cannot be killed": lambda replay: replay.simulator.fail_deletion(),
        "create: then run while creating": lambda replay: replay.simulator.slow_creation(3),
        "create with vCenter connection": connect_without_powercli,
        "create with vCenter connection, token refused": (
            lambda replay: replay.simulator.refuse_bearer_token(times=2)
        ),
    },
    "web_consoles": {"create and wait, pod fails": lambda replay: replay.simulator.fail_pod("not found.")},
    "faults": {
        "runspace unreachable: the runspace": lambda replay: replay.simulator.make_unreachable(
            newest(replay)
        ),
        "list": kill_all,
    },
    "sign": {
        "the act-as exchange fails after the session was made": lambda replay: replay.simulator.fail_act_as()
    },
}
AFTER = {
    "faults": {
        "dies while running, json: start": die_after_a_second,
        "unreachable later: start": lambda replay: replay.simulator.make_unreachable(newest(replay), RESET),
    }
}

#: As which host and port the recorded logins were signed; the others as the first.
SIGNED_AS = {
    "direct, SHA-256": ("127.0.0.1", "5050"),
    "Host without a port, no proxy headers: port 0": ("srs.example.test", "0"),
    "Host without a port, no proxy headers, signed 443": ("srs.example.test", "443"),
    "behind a proxy, https default port": ("srs.example.test", "443"),
    "behind a proxy, port 8443, host with port": ("srs.example.test:8443", "8443"),
    "behind a proxy, port 8443, host without port": ("srs.example.test", "8443"),
    "Host in upper case, signed as sent": ("SRS.Example.Test", "443"),
    "Host in upper case, signed in lower case": ("srs.example.test", "443"),
    "IPv6 host, direct": ("[::1]", "5050"),
}


def signed_again(exchanges):
    """Return functions that make the recorded logins anew: their tokens and signatures were shortened."""
    pytest.importorskip("cryptography", reason="SIGN logins need the cryptography package")
    from tests.simulator.signing import Signer

    signer = Signer()
    token = signer.token()
    began = None

    def sign(exchange):
        nonlocal began
        recorded_headers = dict(exchange["request"]["headers"])
        authorization = recorded_headers.pop("Authorization")
        given = dict(re.findall(r'(\w+)="([^"]*)"', authorization))
        moment, _, appendix = given["nonce"].partition(":")
        began = began or int(moment) - round(exchange["at"] * 1000)
        # The virtual clock begins with the year 2026.
        nonce = f"{int(moment) - began + 1_767_225_600_000}:{appendix}"
        digest = base64.b64decode(given.get("bodyhash", ""))
        host, port = SIGNED_AS.get(exchange["label"], SIGNED_AS["direct, SHA-256"])
        if exchange["label"] == "wrong signature":
            port = "1"
        signature = signer.signature(nonce, host, port, digest, given["signature_alg"])
        values = {"nonce": [nonce], "signature": [signature], "token": [token[:3000], token[3000:]]}
        if authorization.count("token=") == 1:
            values["token"] = [token]

        def fresh(match):
            values_of_name = values.get(match.group(1))
            return f'{match.group(1)}="{values_of_name.pop(0)}"' if values_of_name else match.group()

        headers = {"Host": "srs.example.test"} | recorded_headers
        headers["Authorization"] = re.sub(r'(\w+)="([^"]*)"', fresh, authorization)
        body = (exchange["request"]["body"] or "").encode()
        lower = tuple((name.lower(), value) for name, value in headers.items())
        return Request("POST", exchange["request"]["path"], lower, body)

    return {
        exchange["label"]: sign
        for exchange in exchanges
        if "Authorization" in dict(exchange["request"]["headers"])
    }


@pytest.mark.parametrize("name", FILES)
def test_the_simulator_answers_as_the_service_did(name):
    requests = signed_again(recorded(name)) if name == "sign" else None

    replay = play(
        name,
        users=USERS,
        before=BEFORE.get(name),
        after=AFTER.get(name),
        requests=requests,
        behaviours=BEHAVIOURS.get(name),
    )

    expected = EXCEPTIONS.get(name, {})
    unexpected = {label: texts for label, texts in replay.differences.items() if label not in expected}
    assert unexpected == {}
    assert set(expected) <= set(replay.differences), "these match now: take them off the list"


def test_few_exchanges_are_excepted():
    total = sum(len(recorded(name)) for name in FILES)

    assert sum(len(labels) for labels in EXCEPTIONS.values()) <= total * 0.05


def test_the_comparison_notices_a_difference():
    exchanges = recorded("auth")
    replay = play("auth", users={"alice": "other"})

    # Only the login with an unknown user and what needs its key fail then.
    assert 0 < len(replay.differences) < len(exchanges)
    assert "login" in replay.differences
