"""A caller of the simulator on a virtual clock: requests in a line, answers as status and JSON."""

from __future__ import annotations

import base64
import json

from srs_vsphere.simulator import Request, Settings, Simulator, VirtualClock

USERS = {"alice": "secret", "bob": "secret"}


class Caller:
    """A user who has logged in."""

    def __init__(self, simulator, user="alice", password="secret"):
        self.simulator = simulator
        self.key = login(simulator, user, password)

    def call(self, method, path, body=None, **headers):
        """Return the status and the body: JSON where there is any, else the text."""
        reply = self.reply(method, path, body, **headers)
        content = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
        return reply.status, json.loads(content) if content[:1] in {b"{", b"["} else content.decode()

    def reply(self, method, path, body=None, **headers):
        sent = {"x-srs-api-key": self.key}
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        content = content.encode() if isinstance(content, str) else content or b""
        return self.simulator.handle(Request(method, path, tuple(sent.items()), content))

    def get(self, path):
        return self.call("GET", path)

    def create_runspace(self, **members):
        status, runspace = self.call("POST", "/api/runspaces", members)
        assert status == 202, runspace
        return runspace["id"]

    def run(self, runspace, script, **members):
        status, execution = self.call(
            "POST", "/api/script-executions", {"runspace_id": runspace, "script": script} | members
        )
        assert status == 202, execution
        return execution["id"]

    def finish(self, execution, patience=120.0):
        """Let time pass until an execution has ended, and return it."""
        passed = 0.0
        while (found := self.get(f"/api/script-executions/{execution}")[1])["state"] == "running":
            assert passed < patience, found
            self.simulator.clock.advance(0.1)
            passed += 0.1
        return found

    def output(self, execution):
        return self.get(f"/api/script-executions/{execution}/output")[1]

    def messages(self, execution, stream):
        records = self.get(f"/api/script-executions/{execution}/streams/{stream}")[1]
        return [record["message"] for record in records]


def login(simulator, user="alice", password="secret"):
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    reply = simulator.handle(Request("POST", "/api/auth/login", (("authorization", f"Basic {pair}"),)))
    assert reply.status == 200, reply
    return dict(reply.headers)["X-SRS-API-KEY"]


def simulated(**settings):
    """Return a simulator on a virtual clock."""
    return Simulator(users=USERS, settings=Settings(**settings), clock=VirtualClock(), seed=1)


def ready_runspace(caller, **members):
    """Create a runspace and let it become ready."""
    runspace = caller.create_runspace(**members)
    caller.simulator.clock.advance(1)
    assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"
    return runspace
