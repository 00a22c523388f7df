"""Argument script templates and web consoles: the recorded facts, without the recording."""

from __future__ import annotations

import pytest

TEMPLATES = "/api/argument-scripts/templates"
RENDER = "/api/argument-scripts/script"


def values(**texts):
    return {"values": [{"placeholder_name": name, "value": value} for name, value in texts.items()]}


def render(caller, template, *lists):
    body = {"template_id": template, "template_placeholder_value_list": list(lists)}
    return caller.call("POST", RENDER, body)


def test_there_are_two_templates_for_each_kind_of_object_and_one_for_dates(alice):
    _, templates = alice.get(TEMPLATES)

    by_id = {template["id"]: template for template in templates}
    assert len(templates) == len(by_id) == 33
    assert {template["script_runtime"] for template in templates} == {"PowerCLI"}
    kinds = {
        found.removesuffix("-by-id-server-name") for found in by_id if found.endswith("-by-id-server-name")
    }
    assert len(kinds) == 16
    for kind in kinds:
        assert by_id[f"{kind}-by-id-server-name"]["placeholders"] == ["id", "server"]
        assert by_id[f"{kind}-by-id-server-instance-uuid"]["placeholders"] == ["id", "server_instance_uuid"]
    # The service's own typing error.
    assert by_id["vdswitch-by-id-server-name"]["result_type"].startswith("VVMware.")


def test_each_placeholder_is_in_its_template(alice):
    for template in alice.get(TEMPLATES)[1]:
        assert all(f"<{name}>" in template["script_template"] for name in template["placeholders"])


@pytest.mark.parametrize("id", ["none", "VM-BY-ID-SERVER-NAME"])
def test_an_unknown_template_is_not_found(alice, id):
    expected = {"code": 4010, "error_message": f"Argument transformation script not found for '{id}'"}

    assert alice.get(f"{TEMPLATES}/{id}") == (404, expected)
    assert render(alice, id) == (404, expected)


def test_values_are_quoted_and_lines_joined(alice):
    one = values(id=["a", "b"], server=["s"])
    other = values(id=[], server=["t"])

    status, script = render(alice, "vm-by-id-server-name", one, other)

    assert status == 200
    assert script["script"] == "Get-VM -Id 'a','b' -Server 's'\nGet-VM -Id '' -Server 't'"
    # What is called the id holds the text.
    assert script["template_id"] == "Get-VM -Id <id> -Server <server>"
    assert script["template_placeholder_value_list"] == [one, other]


def test_nothing_is_escaped_and_values_are_filled_in_again(alice):
    _, script = render(alice, "vm-by-id-server-name", values(id=["O'Neil <server>"], server=["s"]))

    assert script["script"] == "Get-VM -Id 'O'Neil 's'' -Server 's'"


def test_what_is_not_filled_in_stays(alice):
    assert render(alice, "date-by-string", values(other=["1"]))[1]["script"] == "Get-Date -Date <value>"


def test_without_lines_there_is_no_script(alice):
    assert "script" not in render(alice, "date-by-string")[1]
    assert render(alice, "date-by-string", {"values": []})[1]["script"] == ""


@pytest.mark.parametrize("element", [None, {"values": [None]}])
def test_null_elements_break_the_service(alice, element):
    assert render(alice, "date-by-string", element) == (500, "")


@pytest.mark.parametrize(
    ("element", "key"),
    [
        ({}, "template_placeholder_value_list[0].values"),
        (
            {"values": [{"placeholder_name": "x"}]},
            "template_placeholder_value_list[0].values[0].value",
        ),
    ],
)
def test_members_must_be_there(alice, element, key):
    status, problem = render(alice, "date-by-string", element)

    assert (status, list(problem["errors"])) == (400, [key])


def test_the_list_must_not_be_null(alice):
    status, problem = alice.call(
        "POST", RENDER, {"template_id": "date-by-string", "template_placeholder_value_list": None}
    )

    assert (status, list(problem["errors"])) == (400, ["PlaceholderValueList"])


def test_a_web_console_becomes_available(alice, bob):
    status, console = alice.call("POST", "/api/webconsoles")
    assert (status, console["state"], console["id"][:2], len(console["id"])) == (200, "creating", "wc", 14)

    alice.simulator.clock.advance(2)

    assert alice.get(f"/api/webconsoles/{console['id']}")[1]["state"] == "available"
    assert [found["id"] for found in alice.get("/api/webconsoles")[1]] == [console["id"]]
    assert bob.get("/api/webconsoles") == (200, [])
    assert bob.get(f"/api/webconsoles/{console['id']}")[1]["code"] == 2070


def test_a_web_console_that_is_waited_for_is_answered_with_its_last_state(alice):
    assert alice.call("POST", "/api/webconsoles?wait=TRUE")[1]["state"] == "available"
    alice.simulator.fail_pod("not found.")
    status, console = alice.call("POST", "/api/webconsoles?wait=true")
    assert (status, console["state"], console["error_details"]["code"]) == (200, "error", 500)
    assert alice.call("POST", "/api/webconsoles?wait=1")[0] == 400


def test_anybody_may_delete_a_web_console_and_unknown_ones_too(alice, bob):
    _, console = alice.call("POST", "/api/webconsoles")

    assert bob.call("DELETE", "/api/webconsoles/none") == (200, "")
    assert bob.call("DELETE", f"/api/webconsoles/{console['id']}") == (200, "")
    assert alice.get("/api/webconsoles") == (200, [])


def test_web_consoles_take_from_the_quota_and_go_with_their_session(alice, bob):
    for _ in range(5):
        assert alice.call("POST", "/api/webconsoles")[0] == 200
    assert bob.call("POST", "/api/webconsoles")[1] == {
        "code": 2060,
        "error_message": "Maximum number of web consoles is reached",
    }
    assert bob.call("POST", "/api/runspaces", {})[1]["code"] == 2020

    alice.call("POST", "/api/auth/logout")
    bob.simulator.clock.advance(30)

    assert bob.simulator.web_console_count == 0
    assert bob.call("POST", "/api/runspaces", {})[0] == 202


def test_web_consoles_fail_as_runspaces_do(alice):
    service = alice.simulator
    _, console = alice.call("POST", "/api/webconsoles")
    service.fail_list()
    assert alice.get("/api/webconsoles")[1]["code"] == 2075
    service.fail_get()
    assert alice.get(f"/api/webconsoles/{console['id']}")[1]["code"] == 2070
    service.fail_deletion()
    assert alice.call("DELETE", f"/api/webconsoles/{console['id']}")[1]["code"] == 2080
    service.fail_creation("no room")
    assert alice.call("POST", "/api/webconsoles")[1]["error_message"] == "no room"
    service.refuse_bearer_token()
    assert "Object reference not set" in alice.call("POST", "/api/webconsoles")[1]["error_message"]
    assert alice.call("POST", "/api/webconsoles")[0] == 200
