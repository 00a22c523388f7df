"""Recorded exchanges played against the simulator, and how the two answers are compared.

What differs from one run of the service to the next is put aside: ids, keys and times, but not whether they
are there. So is what the recording itself left out: stack traces and the texts of templates.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from srs_vsphere.simulator import Reply, Request, Simulator, VirtualClock
from tests.recorded_exchanges import exchanges as recorded

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?[+-]\d\d:\d\d")
TRACE = "\n(stack trace omitted)"
TEMPLATE = "(template text omitted)"
#: Headers that say nothing about the operation; the doors of the simulator add them.
FRAMING = {"content-length", "transfer-encoding", "connection", "date", "server"}
TIMES = {"creation_time", "start_time", "end_time", "time"}
#: Lists of files, in whatever order the disk had them.
UNORDERED = re.compile(r"/api/(script-executions(\?.*)?|argument-scripts/templates)")
STEP = 0.05
PATIENCE = 60.0


class Replay:
    """Plays a recording against a simulator on a virtual clock and notes what differs.

    `before`, `after` and `requests` are functions by label: they make something go wrong before or after that
    exchange, or make its request where the recorded one cannot be sent again. A label that comes more than
    once is found under ``label#2`` and so on.
    """

    def __init__(self, simulator, clock, *, before=None, after=None, requests=None):
        self.simulator = simulator
        self.clock = clock
        self.before = before or {}
        self.after = after or {}
        self.requests = requests or {}
        self.ours = {}
        self.differences = {}
        self._drift = 0.0

    def play(self, exchanges):
        """Play all exchanges; afterwards `differences` says what differed, by label."""
        seen = Counter()
        for exchange in exchanges:
            seen[exchange["label"]] += 1
            count = seen[exchange["label"]]
            label = exchange["label"] if count == 1 else f"{exchange['label']}#{count}"
            self._pace(exchange)
            if label in self.before:
                self.before[label](self)
            reply = self._send(exchange, label)
            problems = self.compare(exchange, reply)
            if problems:
                self.differences[label] = problems
            if label in self.after:
                self.after[label](self)

    def _pace(self, exchange):
        # What a request starts, it starts when it is answered, and those answers took their time.
        at = exchange["at"] + (exchange["took"] if exchange["request"]["method"] == "POST" else 0)
        self.clock.advance(max(0.0, at + self._drift - self.clock.seconds()))

    def _send(self, exchange, label):
        request = self.requests.get(label, self.request)(exchange)
        reply = self.simulator.handle(request)
        condition = exchange.get("poll_until")
        if condition is None:
            return reply
        state = condition.removeprefix("state is not ")
        if json.loads(exchange["response"]["body"])["state"] == state:
            return reply
        started = self.clock.seconds()
        while json.loads(body_of(reply)).get("state") == state:
            assert self.clock.seconds() - started < PATIENCE, label
            self.clock.advance(STEP)
            self._drift += STEP
            reply = self.simulator.handle(request)
        return reply

    def request(self, exchange):
        """Return the recorded request with the ids and keys of this run."""
        recorded = exchange["request"]
        headers = tuple((name.lower(), self.translate(value)) for name, value in recorded["headers"])
        body = self.translate(recorded["body"] or "").encode()
        return Request(recorded["method"], self.translate(recorded["path"]), headers, body)

    def translate(self, text):
        """Return a text with the ids and keys of this run instead of the recorded ones."""
        for theirs, ours in self.ours.items():
            text = text.replace(theirs, ours)
        return text

    def compare(self, exchange, reply):
        """Return what differs between the recorded response and a reply."""
        expected = exchange["response"]
        self._unordered = UNORDERED.fullmatch(exchange["request"]["path"]) is not None
        problems = []
        if reply.status != expected["status"]:
            problems.append(f"status {reply.status} instead of {expected['status']}")
        problems += self._compare_headers(expected["headers"], reply.headers)
        theirs, ours = expected["body"] or "", body_of(reply)
        if theirs[:1] in {"{", "["} and ours[:1] in {"{", "["}:
            self._compare_json("", json.loads(theirs), json.loads(ours), problems)
        elif theirs != ours:
            problems.append(f"body {ours!r} instead of {theirs!r}")
        return problems

    def _compare_headers(self, theirs, ours):
        theirs = {name.lower(): value for name, value in theirs if name.lower() not in FRAMING}
        ours = {name.lower(): value for name, value in ours if name.lower() not in FRAMING}
        if "x-srs-api-key" in theirs and "x-srs-api-key" in ours:
            self.ours[theirs.pop("x-srs-api-key")] = ours.pop("x-srs-api-key")
        return [] if theirs == ours else [f"headers {ours} instead of {theirs}"]

    def _compare_json(self, path, theirs, ours, problems):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            if theirs.keys() != ours.keys():
                problems.append(f"{path}: members {sorted(ours)} instead of {sorted(theirs)}")
            # Ids first: the other members may speak of them.
            for name in sorted(theirs.keys() & ours.keys(), key=lambda name: name != "id"):
                self._compare_member(f"{path}.{name}", name, theirs[name], ours[name], problems)
        elif isinstance(theirs, list) and isinstance(ours, list):
            if len(theirs) != len(ours):
                problems.append(f"{path}: {len(ours)} elements instead of {len(theirs)}")
            if self._unordered and all(isinstance(element, dict) for element in theirs + ours):
                theirs, ours = self._paired(theirs, ours)
            for index, (one, other) in enumerate(zip(theirs, ours, strict=False)):
                self._compare_json(f"{path}[{index}]", one, other, problems)
        elif isinstance(theirs, str) and isinstance(ours, str):
            self._compare_text(path, theirs, ours, problems)
        elif theirs != ours or type(theirs) is not type(ours):
            problems.append(f"{path}: {ours!r} instead of {theirs!r}")

    def _paired(self, theirs, ours):
        # Ids known from before, or the same in every run, pair the elements.
        left = {element.get("id"): element for element in ours}
        pairs, rest = [], []
        for element in theirs:
            mine = left.pop(self.ours.get(element.get("id"), element.get("id")), None)
            if mine is None:
                rest.append(element)
            else:
                pairs.append((element, mine))
        return [one for one, _ in pairs] + rest, [other for _, other in pairs] + list(left.values())

    def _compare_member(self, path, name, theirs, ours, problems):
        if name in TIMES and isinstance(theirs, str):
            if not TIME.fullmatch(ours):
                problems.append(f"{path}: {ours!r} is no time of the service")
        elif name in {"id", "vc_connection_script_id"} and theirs not in self.ours and ours != theirs:
            self.ours[theirs] = ours
            if re.sub("[0-9a-f]", "x", theirs) != re.sub("[0-9a-f]", "x", ours):
                problems.append(f"{path}: {ours!r} does not look like {theirs!r}")
        elif name == "Interfaces":
            if type(theirs) is not type(ours):
                problems.append(f"{path}: {ours!r} instead of {theirs!r}")
        elif name in {"traceId", "type"}:
            if not isinstance(ours, str):
                problems.append(f"{path}: {ours!r} is no text")
        else:
            self._compare_json(path, theirs, ours, problems)

    def _compare_text(self, path, theirs, ours, problems):
        theirs = self.translate(theirs)
        if theirs.startswith('{\n  "TypeName"') and ours.startswith('{\n  "TypeName"'):
            self._compare_json(path, json.loads(theirs), json.loads(ours), problems)
        elif theirs.endswith(TRACE):
            first_line = theirs.removesuffix(TRACE)
            if not ours.startswith(first_line + "\n"):
                problems.append(f"{path}: {ours!r} instead of {first_line!r} and a trace")
        elif theirs != ours and theirs != TEMPLATE:
            problems.append(f"{path}: {ours!r} instead of {theirs!r}")


def body_of(reply: Reply) -> str:
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    return body.decode()


def play(name, *, users, before=None, after=None, requests=None, behaviours=None):
    """Play a recording against a new simulator, with replies for some scripts, and return the replay."""
    clock = VirtualClock()
    simulator = Simulator(users=users, clock=clock, seed=1)
    for script, reply in (behaviours or {}).items():
        simulator.on_script(script, reply)
    replay = Replay(simulator, clock, before=before, after=after, requests=requests)
    replay.play(recorded(name))
    return replay
