"""A host process in Python: it says what a real one said to the same commands.

usage: stand_in_host.py TRANSCRIPT... [what PowerShell itself would be given]

A transcript is a list of exchanges, each with what was sent and what was received. In place of an event there
may be ``{"exit": N}``: the process ends; or ``{"connect": PORT}``: it opens a connection and keeps it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

_kept = []


def say(event):
    print(json.dumps(event), flush=True)


def answer(exchange):
    if any(sent["op"] == "stop" for sent in exchange["send"]):
        while json.loads(sys.stdin.readline() or os._exit(0))["op"] != "stop":
            pass
    for event in exchange["receive"]:
        if "exit" in event:
            os._exit(event["exit"])
        elif "connect" in event:
            _kept.append(socket.create_connection(("127.0.0.1", event["connect"])))
        else:
            say(event)


def main(names):
    exchanges = [exchange for name in names for exchange in json.loads(Path(name).read_text("utf-8"))]
    known = {
        json.dumps(exchange["send"][0], sort_keys=True): exchange
        for exchange in exchanges
        if exchange["send"]
    }
    say({"event": "ready", "version": "7.6.9"})
    for line in sys.stdin:
        command = json.loads(line)
        if command["op"] == "run":
            exchange = known.get(json.dumps(command, sort_keys=True))
            if exchange is None:
                say({"event": "fault", "message": f"not in the transcript: {line}"})
            else:
                answer(exchange)


main([argument for argument in sys.argv[1:] if argument.endswith(".json")])
