"""Argument scripts: templates, and values that arrive as texts whatever is in them."""

from __future__ import annotations

import pytest

from srs_vsphere import ArgumentScript, NotFoundError
from srs_vsphere.simulator import ScriptCall, ScriptReply, SimServer, Simulator, VirtualClock
from tests._sync.helping import LeadingClock, make_client

VM = "vm-by-id-server-name"
SCRIPT = ("POST", "/api/argument-scripts/script")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()



def test_templates(server: SimServer) -> None:
    with make_client(server.url) as client:
        templates = client.argument_scripts.templates()
        assert [template.id for template in templates] == sorted({template.id for template in templates})
        assert len(templates) == 33
        for template in templates:
            assert template == client.argument_scripts.template(template.id)
            assert template.script_runtime == "PowerCLI"
            assert template.placeholders
            assert all(f"<{name}>" in str(template.script_template) for name in template.placeholders)
        with pytest.raises(NotFoundError) as caught:
            client.argument_scripts.template(VM.upper())
    assert caught.value.code == 4010
    assert "case-sensitive" in str(caught.value)



def test_filling_in(server: SimServer) -> None:
    with make_client(server.url) as client:
        script = client.argument_scripts.render(VM, {"id": "vm-1", "server": "vc.example.com"})
        assert script == ArgumentScript("Get-VM -Id 'vm-1' -Server 'vc.example.com'")
        # The service says the template's text where it promises its id: that is not handed on.
        assert not hasattr(script, "template_id")
        several = client.argument_scripts.render(VM, {"id": ["vm-1", "vm-2"], "server": "*"})
        assert several.script == "Get-VM -Id 'vm-1','vm-2' -Server '*'"
        lines = client.argument_scripts.render(
            VM, [{"id": "vm-1", "server": "a"}, {"id": "vm-2", "server": "b"}]
        )
        assert lines.script == "Get-VM -Id 'vm-1' -Server 'a'\nGet-VM -Id 'vm-2' -Server 'b'"
        # Templates that differ from each other get what they ask for.
        for template in client.argument_scripts.templates():
            values = {name: f"«{name}»" for name in template.placeholders}
            text = (client.argument_scripts.render(template.id, values)).script
            assert text is not None
            assert all(f"'«{name}»'" in text for name in values)
            assert not any(f"<{name}>" in text for name in values)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("it's", "'it''s'"),
        ("'; Remove-VM *; '", "'''; Remove-VM *; '''"),
        # To PowerShell these are apostrophes too.
        ("\u2018a\u2019b\u201ac\u201b", "'\u2018\u2018a\u2019\u2019b\u201a\u201ac\u201b\u201b'"),
        ("<server>", "'<server>'"),
        ("<id>", "'<id>'"),
        ('$x `n "y"', "'$x `n \"y\"'"),
        ("", "''"),
        ("2026-01-02T03:04:05Z", "'2026-01-02T03:04:05Z'"),
    ],
)

def test_nothing_in_a_value_is_run(server: SimServer, value: str, written: str) -> None:
    with make_client(server.url) as client:
        script = client.argument_scripts.render(VM, {"id": value, "server": "vc"})
    assert script.script == f"Get-VM -Id {written} -Server 'vc'"


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"id": "vm-1"}, ValueError, "needs a value for 'server'"),
        ({}, ValueError, "needs a value for 'id', 'server'"),
        ({"id": "vm-1", "server": "vc", "name": "x"}, ValueError, "no placeholder 'name'"),
        ({"id": "vm-1", "server": []}, ValueError, "empty"),
        ({"id": 5, "server": "vc"}, TypeError, "text"),
        ({"id": ["vm-1", None], "server": "vc"}, TypeError, "text"),
        ({"id": "<server>", "server": "<id>"}, ValueError, "hold each other's placeholders"),
        ([], ValueError, "at least once"),
        ([{"id": "vm-1", "server": "vc"}, {"id": "vm-2"}], ValueError, "needs a value for 'server'"),
    ],
)

def test_what_would_go_wrong_is_not_sent(
    server: SimServer, values: object, error: type[Exception], words: str
) -> None:
    with make_client(server.url) as client:
        with pytest.raises(error, match=words):
            client.argument_scripts.render(VM, values)
    assert SCRIPT not in server.requests



def test_an_unknown_template(server: SimServer) -> None:
    with make_client(server.url) as client:
        with pytest.raises(NotFoundError):
            client.argument_scripts.render("vm-by-name", {"id": "x"})
    assert SCRIPT not in server.requests



def test_as_a_scripts_parameter(server: SimServer, simulator: Simulator, clock: VirtualClock) -> None:
    calls: list[ScriptCall] = []

    def note(call: ScriptCall) -> ScriptReply:
        calls.append(call)
        return ScriptReply()

    simulator.on_script("note", note)
    with make_client(server.url, clock=LeadingClock(clock)) as client:
        found = client.argument_scripts.render(VM, {"id": "vm-1", "server": "*"})
        simulator.on_script(str(found.script), ScriptReply(output=[{"Name": "the machine"}]))
        result = client.run("note", parameters={"vm": found, "count": 2})
        result.raise_for_outcome()
    assert calls[0].parameters == {"vm": {"Name": "the machine"}, "count": 2}
