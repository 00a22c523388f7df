"""The simulator against what the real service answered, exchange by exchange.

A difference is a fault of the simulator unless its label is listed here with the reason why it must be. A
listed label whose difference is gone has to leave the list.
"""

from __future__ import annotations

import pytest

from tests.simulator.replaying import play, recorded

USERS = {"alice": "secret", "bob": "secret", "ålice@VSPHERE.LOCAL": "secret"}

CONDITIONS = {
    "runspaces": {
        "create: the pod cannot be started": lambda replay: replay.simulator.fail_creation(),
        "create: the pod fails later": lambda replay: replay.simulator.fail_pod(),
        "list: the provider fails": lambda replay: replay.simulator.fail_list(),
        "get: the provider fails": lambda replay: replay.simulator.fail_get(),
        "delete: the pod cannot be killed": lambda replay: replay.simulator.fail_deletion(),
        "create: then run while creating": lambda replay: replay.simulator.slow_creation(3),
        "create with vCenter connection": lambda replay: replay.simulator.slow_creation(3),
        "create with vCenter connection, token refused": (
            lambda replay: replay.simulator.refuse_bearer_token(times=2)
        ),
    },
    "web_consoles": {"create and wait, pod fails": lambda replay: replay.simulator.fail_pod("not found.")},
}
EXCEPTIONS = {}
FILES = ("auth", "routing", "runspaces", "argument_scripts", "web_consoles")


@pytest.mark.parametrize("name", FILES)
def test_the_simulator_answers_as_the_service_did(name):
    replay = play(name, users=USERS, conditions=CONDITIONS.get(name))

    expected = EXCEPTIONS.get(name, {})
    unexpected = {label: texts for label, texts in replay.differences.items() if label not in expected}
    assert unexpected == {}
    assert set(expected) <= set(replay.differences), "these match now: take them off the list"


def test_few_exchanges_are_excepted():
    total = sum(len(recorded(name)) for name in FILES)
    assert sum(len(labels) for labels in EXCEPTIONS.values()) <= total * 0.05
