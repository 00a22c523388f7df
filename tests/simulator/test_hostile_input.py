"""What no client of good will sends: it is answered, whichever door it comes through."""

from __future__ import annotations

import base64

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator import Request, SimApp, SimTransport, Simulator, SyncSimTransport, VirtualClock
from srs_vsphere.simulator.delivery import Dispatcher
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.routing import _ROUTES
from tests.simulator.calling import Caller, simulated

PATHS = st.sampled_from([path for _, path, _ in _ROUTES])
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["%2f", "%ff", "%00", "..", "9" * 6000, "٣", "+-1"]))
METHODS = st.one_of(st.sampled_from(["GET", "POST", "DELETE"]), st.text(max_size=5))
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["authorization", "content-type", "x-srs-api-key", "host", "content-length"]),
        st.one_of(
            st.text(st.characters(max_codepoint=0xFF), max_size=30),
            st.sampled_from(
                [
                    "Basic é",
                    "Basic Og==",
                    "SIGN token",
                    'SIGN nonce="9:9"',
                    "application/json",
                    "text/plain; é",
                ]
            ),
        ),
    ),
    max_size=4,
)
JSON_LIKE = st.sampled_from(
    [
        b'{"runspace_id": "x", "script": "1", "output_objects_format": "%b"}' % (b"9" * 6000),
        b'{"run_vc_connection_script": %b}' % (b"9" * 300),
        b'{"creation_time": "9999-99-99T99:99:99"}',
        b"[" * 100_000,
        b"{" * 100_000,
        b"/*" * 1000,
        b"1e999999999",
        b"\xff\xfe\x00\xd8",
        b'"\\ud800"',
    ]
)


@given(
    METHODS,
    PATHS,
    st.lists(WORDS, max_size=2),
    st.text(max_size=12),
    HEADERS,
    st.one_of(st.binary(max_size=50), JSON_LIKE),
    st.booleans(),
)
def test_every_request_has_an_answer(method, path, words, query, headers, body, known):
    service = simulated()
    key = Caller(service).key
    for word in words:
        path = path.replace("*", word, 1)
    if known:
        headers = [("x-srs-api-key", key), ("content-type", "application/json")]
    request = Request(method, f"{path}?{query}", tuple(headers), body)
    # Not through a door: those answer for what the service raises.
    reply = service.handle(request)
    assert 200 <= reply.status < 600
    Dispatcher(service, FaultPlan([Fault(user="alice", status=503)]), "srs").look(request)


@pytest.mark.parametrize("digits", ["9" * 6000, "-" + "9" * 6000])
def test_a_number_of_thousands_of_digits_is_a_wrong_value(alice, runspace, digits):
    execution = alice.run(runspace, "1")
    alice.finish(execution)
    status, problem = alice.get(f"/api/script-executions/{execution}/streams/{digits}")
    assert (status, problem["errors"]) == (400, {"stream-type": [f"The value '{digits}' is invalid."]})
    status, problem = alice.call(
        "POST",
        "/api/script-executions",
        {"runspace_id": runspace, "script": "1", "output_objects_format": digits},
    )
    assert (status, list(problem["errors"])) == (400, ["output_objects_format"])


CREDENTIALS = st.text(st.characters(max_codepoint=0xFF), max_size=30)


@given(st.sampled_from(["Basic ", "SIGN ", "SIGN nonce=", ""]), CREDENTIALS, st.booleans())
def test_every_login_has_an_answer(scheme, credentials, encoded):
    if encoded:
        credentials = base64.b64encode(credentials.encode("latin-1")).decode()
    request = Request("POST", "/api/auth/login", (("authorization", scheme + credentials),))
    service = simulated()
    assert service.handle(request).status == 401
    Dispatcher(service, FaultPlan([Fault(user="alice", status=503)]), "srs").look(request)


@pytest.mark.parametrize(
    "part", ["[" + "0," * 60_000 + "]", "[" + "{a:0}," * 60_000 + "]", "0, " + "a:0," * 60_000]
)
def test_a_body_of_too_many_values_is_refused_before_it_costs_anything(alice, runspace, part):
    status, problem = alice.call(
        "POST", "/api/script-executions", f'{{"runspace_id": "{runspace}", "script": "1", "x": {part}}}'
    )
    assert status == 400
    assert "The simulator reads no more than 50000 values." in str(problem["errors"])


def test_a_template_that_would_double_itself_without_end_is_an_error_of_the_service(alice):
    values = [{"placeholder_name": "id", "value": ["<id>", "<id>"]}] * 60
    body = {"template_id": "vm-by-id-server-name", "template_placeholder_value_list": [{"values": values}]}
    assert alice.call("POST", "/api/argument-scripts/script", body) == (500, "")


class Exploding(Simulator):
    """A service in which every request comes upon an error that nobody expected."""

    error: Exception

    def handle(self, request, **_):
        raise self.error


@pytest.fixture(params=[MemoryError(), RecursionError("too deep"), ZeroDivisionError("a bug")])
def exploding(request):
    service = Exploding(clock=VirtualClock())
    service.error = request.param
    return service


def test_an_error_of_the_service_is_an_empty_500_in_process(exploding, caplog):
    with httpx.Client(transport=SyncSimTransport(exploding), base_url="http://srs.test") as http:
        answer = http.get("/api/about")
    assert (answer.status_code, answer.content) == (500, b"")
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"GET /api/about is answered with 500: {type(exploding.error).__name__}: "
    )
    assert record.exc_info is None


@pytest.mark.anyio
@pytest.mark.parametrize("door", [SimTransport, lambda service: httpx.ASGITransport(SimApp(service))])
async def test_an_error_of_the_service_is_an_empty_500_through_the_other_doors(exploding, door):
    async with httpx.AsyncClient(transport=door(exploding), base_url="http://srs.test") as http:
        answer = await http.get("/api/about")
    assert (answer.status_code, answer.content) == (500, b"")


EXPLOSIONS = [
    f"'{'a' * 60}!' -match '(a+)+$'",
    f"'{'a' * 60}!' -replace '(a|a)*$', ''",
    f"'{'a' * 60}!' -split '(a*)*$'",
    f"'{'x' * 30_000}' -match '.*.*.*.*y'",
    "'x' * 1000000000",
    "1..1000000000",
    "$s = 'xxxxxxxxxxxxxxxx'; foreach ($i in 1..60) { $s = $s + $s }; $s.Length",
    "$s = 'xxxxxxxxxxxxxxxx'; foreach ($i in 1..60) { $s = \"$s$s\" }; $s.Length",
    "$a = @(1, 2); foreach ($i in 1..60) { $a = $a + $a }; $a.Count",
    "$n = 9; foreach ($i in 1..60) { $n = $n * $n }; $n",
    "$s = 'x' * 99999; foreach ($i in 1..9) { $s = $s -replace 'x', $s }; 1",
    "$s = 'x' * 99999; $a = 1..99999; ($a -join $s).Length",
    "9" * 6000,
    "'" + "9" * 6000 + "' + 1",
    "[int]'" + "9" * 6000 + "'",
    "$a = 1; foreach ($i in 1..5000) { $a = @(, $a) }; $a",
    "(" * 5000,
    "$(" * 5000,
    "@{a=" * 5000,
    f"'{'a' * 5000}' -like '{'*a' * 200}b'",
    "$s = 'x' * 99999; foreach ($i in 1..100000) { $s }",
    "$s = 'x' * 9999; foreach ($i in 1..100000) { Write-Warning $s }",
    '$a = 1..10000; foreach ($i in 1..100000) { $x = "$a" }',
    "'{0}{0}{0}' -f ('x' * 99999)",
    "1," * 14_000 + "1",
    "1;" * 14_000,
    "1+" * 14_000 + "1",
    "1" + " " * 40_000,
]


@pytest.mark.parametrize("script", EXPLOSIONS, ids=range(len(EXPLOSIONS)))
def test_no_script_keeps_the_simulator_busy_or_fills_its_memory(alice, runspace, script):
    execution = alice.run(runspace, script)
    assert alice.finish(execution)["state"] in {"success", "error"}
    assert len(str(alice.output(execution))) < 3_000_000
