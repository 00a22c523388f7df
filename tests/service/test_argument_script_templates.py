"""Templates are filled in so that each value arrives as one PowerShell text, whatever it holds."""

import json
import re
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from srs_vsphere._codec.models import dumps
from srs_vsphere._service.argument_script_templates import escaped, render_request
from srs_vsphere.models import ArgumentScriptTemplate
from tests.recorded_exchanges import exchanges

VM = ArgumentScriptTemplate("vm-by-id-server-name", placeholders=["id", "server"])
VM_TEXT = "Get-VM -Id <id> -Server <server>"
THREE = ArgumentScriptTemplate("three", placeholders=["a", "b", "c"])


def rendered(text, body):
    """Do what the service does."""
    lines = []
    for element in body["template_placeholder_value_list"]:
        line = text
        for value in element["values"]:
            line = line.replace(f"<{value['placeholder_name']}>", "'" + "','".join(value["value"]) + "'")
        lines.append(line)
    return "\n".join(lines).strip()


def parsed(line):
    """Take a line apart as PowerShell does: words, and lists of quoted texts."""
    quote = "['\u2018\u2019\u201a\u201b]"
    text = re.compile(f"{quote}((?:{quote}{quote}|[^'\u2018\u2019\u201a\u201b])*){quote}")
    words, at = [], 0
    while at < len(line):
        match = text.match(line, at)
        if match is None:
            words.append(line[at])
            at += 1
            continue
        content = re.sub(f"({quote}){quote}", r"\1", match[1])
        if words and words[-1] == "," and isinstance(words[-2], list):
            words.pop()
            words[-1].append(content)
        else:
            words.append([content])
        at = match.end()
    return [word for word in words if isinstance(word, list)]


def test_one_value_each():
    assert render_request(VM, {"server": "s", "id": "VirtualMachine-vm-1"}) == {
        "template_id": "vm-by-id-server-name",
        "template_placeholder_value_list": [
            {
                "values": [
                    {"placeholder_name": "id", "value": ["VirtualMachine-vm-1"]},
                    {"placeholder_name": "server", "value": ["s"]},
                ]
            }
        ],
    }


def test_several_values_and_several_lines_as_recorded():
    (exchange,) = [e for e in exchanges("argument_scripts") if e["label"] == "two objects, two values each"]
    body = render_request(VM, [{"id": ["a", "b"], "server": ("a", "b")}, {"id": "c", "server": "c"}])
    assert body == json.loads(exchange["request"]["body"])
    assert rendered(VM_TEXT, body) == json.loads(exchange["response"]["body"])["script"]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("O'Neil", "O''Neil"),
        ("‘a’ ‚b‛", "‘‘a’’ ‚‚b‛‛"),
        ("''", "''''"),
        ('"$x`', '"$x`'),
        ("", ""),
    ],
)
def test_escaping(text, result):
    assert escaped(text) == result


awkward = st.text(st.sampled_from("ab'‘’‚‛<>;$,\" ")) | st.sampled_from(
    ["<id>", "<server>", "<a>", "<b>x<c>", "'; Remove-VM *; '", "<<a>>"]
)


@given(st.lists(awkward, min_size=1, max_size=3), st.lists(awkward, min_size=1, max_size=3))
def test_whatever_is_put_in_arrives_as_it_is(ids, servers):
    mutual = any("<server>" in text for text in ids) and any("<id>" in text for text in servers)
    if mutual:
        with pytest.raises(ValueError, match="each other's placeholders"):
            render_request(VM, {"id": ids, "server": servers})
        return
    line = rendered(VM_TEXT, render_request(VM, {"id": ids, "server": servers}))
    assert parsed(line) == [ids, servers]


@given(awkward, awkward, awkward)
def test_an_order_is_found_whenever_there_is_one(a, b, c):
    values = {"a": a, "b": b, "c": c}
    assume(all(text.count("'") == 0 for text in values.values()))
    right = [f"x '{escaped(a)}' '{escaped(b)}' '{escaped(c)}'"]

    def filled(order):
        text = "x <a> <b> <c>"
        for name in order:
            text = text.replace(f"<{name}>", f"'{escaped(values[name])}'")
        return text

    possible = any(filled(order) in right for order in permutations("abc"))
    try:
        line = rendered("x <a> <b> <c>", render_request(THREE, values))
    except ValueError:
        assert not possible
    else:
        assert [line] == [right[0].strip()]


def test_a_value_that_holds_its_own_placeholder_is_fine():
    assert (
        rendered(VM_TEXT, render_request(VM, {"id": "<id>", "server": "s"}))
        == "Get-VM -Id '<id>' -Server 's'"
    )


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"id": "a"}, ValueError, "needs a value for 'server'"),
        ({}, ValueError, "needs a value for 'id', 'server'"),
        ({"id": "a", "server": "s", "x": "y"}, ValueError, "has no placeholder 'x', only 'id', 'server'"),
        ({"id": "a", "Server": "s"}, ValueError, "has no placeholder 'Server'"),
        ({"id": [], "server": "s"}, ValueError, r"values\['id'\] is empty"),
        ({"id": 5, "server": "s"}, TypeError, r"values\['id'\] must be text or a list of texts, not int"),
        ({"id": None, "server": "s"}, TypeError, "not NoneType"),
        ({"id": ["a", None], "server": "s"}, TypeError, "not NoneType"),
        ([], ValueError, "at least once"),
        ([{"id": "a", "server": "s"}, {"id": "a"}], ValueError, "needs a value for 'server'"),
        ({"id": "<server>", "server": "<id>"}, ValueError, "each other's placeholders"),
    ],
)
def test_refusals(values, error, message):
    with pytest.raises(error, match=message):
        render_request(VM, values)


def test_the_body_can_be_sent():
    assert dumps(render_request(VM, {"id": "é", "server": "s"})).startswith(b'{"template_id":"vm-by')
