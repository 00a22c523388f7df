"""What a client tells while it works: events, log lines, spans and metrics; and never a secret."""

from __future__ import annotations

import logging
import pickle
import re

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from srs_vsphere import (
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    Event,
    LoggedIn,
    NotSentError,
    RequestEnded,
    Retrying,
    RetryPolicy,
    ScriptEnded,
    ScriptFailedError,
    ScriptStarted,
    Secret,
    ServerError,
    Telemetry,
    WaitingForQuota,
)
from srs_vsphere.otel import OpenTelemetry
from srs_vsphere.simulator import Fault, ScriptReply, VirtualClock
from tests._async.helping import AUTH, HURRIED

pytestmark = pytest.mark.anyio


def connect(server, **options):
    return AsyncSrsClient(server.url, **{"auth": AUTH, "retry": HURRIED, **options})


@pytest.fixture
def clock():
    return VirtualClock(auto=True)


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.DEBUG, logger="srs_vsphere")
    return caplog


async def test_a_program_hears_of_everything(server):
    told: list[Event] = []
    async with connect(server, on_event=told.append) as client:
        result = await client.run("'hello'", name="greeting")
    host = server.url.removeprefix("http://")
    assert result.output
    assert all(event.host == host for event in told)
    (logged_in,) = [event for event in told if isinstance(event, LoggedIn)]
    assert logged_in.username == "alice"
    requests = [event for event in told if isinstance(event, RequestEnded)]
    assert {"auth.login", "runspaces.create", "script_executions.create"} <= {
        event.operation for event in requests
    }
    # What a script has written may not be there yet when it is asked for first.
    fine = {(1, None), (1, "NotFoundError")}
    assert all((event.attempt, event.error) in fine and event.status for event in requests)
    (started,) = [event for event in told if isinstance(event, ScriptStarted)]
    (ended,) = [event for event in told if isinstance(event, ScriptEnded)]
    assert (started.name, started.script_id, started.runspace_id) == (
        ended.name,
        ended.script_id,
        ended.runspace_id,
    )
    assert (ended.outcome, ended.error) == ("succeeded", None)
    assert started.script_id == result.execution.id
    assert started.script_id not in repr(started) + repr(ended)
    assert pickle.loads(pickle.dumps(told)) == told


async def test_failures_and_retries_are_told(server, nowhere):
    told: list[Event] = []
    with server.faults.armed(Fault(operation="about", times=1, status=503)):
        async with connect(server, on_event=told.append) as client:
            await client.about()
    first, retrying, second = told
    assert isinstance(first, RequestEnded)
    assert (first.status, first.error, first.attempt) == (503, "ServerError", 1)
    assert isinstance(retrying, Retrying)
    assert (retrying.attempt, retrying.reason) == (1, "HTTP 503")
    assert isinstance(second, RequestEnded)
    assert (second.status, second.error, second.attempt) == (200, None, 2)
    told.clear()
    async with AsyncSrsClient(nowhere, retry=RetryPolicy.off(), on_event=told.append) as client:
        with pytest.raises(NotSentError):
            await client.about()
    (only,) = told
    assert isinstance(only, RequestEnded)
    assert (only.status, only.error) == (None, "NotSentError")


async def test_a_wait_for_quota_is_told_once(server, simulator):
    told: list[Event] = []

    def hook(event: Event) -> None:
        told.append(event)
        if isinstance(event, WaitingForQuota):
            simulator.clear_conditions()

    simulator.fill_quota()
    async with connect(server, on_event=hook) as client:
        await client.run("1", wait_for_quota=60)
    assert [event.seconds for event in told if isinstance(event, WaitingForQuota)] == [60]


async def test_a_script_that_fails_is_told(server):
    told: list[Event] = []
    async with connect(server, on_event=told.append) as client:
        with pytest.raises(ScriptFailedError):
            await client.run("throw 'no'", check=True)
    (ended,) = [event for event in told if isinstance(event, ScriptEnded)]
    assert ended.outcome == "failed"


async def test_a_hook_that_raises_is_logged_and_the_call_goes_on(server, logged):
    def hook(event: Event) -> None:
        raise RuntimeError("the hook's own")

    async with connect(server, on_event=hook) as client:
        assert (await client.about()).name
    assert "on_event raised; the call goes on" in logged.text


async def test_the_log_has_a_line_for_each_request_and_the_facts_as_fields(server, logged):
    async with connect(server) as client:
        await client.run("'hello'", name="greeting")
    levels = {record.srs_event: record.levelname for record in logged.records if hasattr(record, "srs_event")}
    assert levels == {
        "RequestEnded": "DEBUG",
        "LoggedIn": "INFO",
        "ScriptStarted": "INFO",
        "ScriptEnded": "INFO",
    }
    (login,) = [one for one in logged.records if getattr(one, "srs_operation", "") == "auth.login"]
    assert re.fullmatch(r"auth\.login on \S+: HTTP 200 in \d+ ms, attempt 1", login.getMessage())
    assert (login.srs_status, login.srs_attempt) == (200, 1)
    (started,) = [one for one in logged.records if getattr(one, "srs_event", "") == "ScriptStarted"]
    assert started.srs_script_id.endswith("…")
    assert "hello" not in logged.text


async def test_scripts_are_logged_for_those_who_want_it(server, logged):
    async with connect(server, log_scripts=True) as client:
        await client.run("'hello there'")
    assert "'hello there'" in logged.text


async def test_the_log_is_silent_by_default(server, capfd):
    async with connect(server) as client:
        await client.about()
    assert capfd.readouterr() == ("", "")
    handlers = logging.getLogger("srs_vsphere").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.fixture
def exported():
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield OpenTelemetry(tracers, meters), exporter, reader
    tracers.shutdown()
    meters.shutdown()


def metrics(reader):
    data = reader.get_metrics_data()
    return {
        metric.name: [dict(point.attributes) for point in metric.data.data_points]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_spans_lie_within_one_another(server, exported):
    telemetry, exporter, reader = exported
    assert isinstance(telemetry, Telemetry)
    async with connect(server, telemetry=telemetry) as client:
        await client.run("'hello'")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {"srs.run", "srs.login", "srs.wait", "srs.auth.login", "srs.script_executions.create"} <= set(
        spans
    )
    by_id = {span.context.span_id: span.name for span in spans.values()}
    assert by_id[spans["srs.auth.login"].parent.span_id] == "srs.login"
    assert by_id[spans["srs.script_executions.create"].parent.span_id] == "srs.run"
    login = spans["srs.auth.login"]
    assert dict(login.attributes) == {
        "http.request.method": "POST",
        "url.template": "/api/auth/login",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "srs.operation": "auth.login",
        "srs.attempt": 1,
        "http.response.status_code": 200,
    }
    assert spans["srs.run"].attributes["srs.outcome"] == "succeeded"
    told = metrics(reader)
    assert set(told) == {"srs.client.request.duration", "srs.client.scripts"}
    assert told["srs.client.scripts"][0]["srs.outcome"] == "succeeded"


async def test_spans_of_failures_say_so(server, exported):
    telemetry, exporter, reader = exported
    with server.faults.armed(Fault(operation="about", times=2, status=503)):
        async with connect(server, telemetry=telemetry, retry=RetryPolicy(attempts=2, backoff=0)) as client:
            with pytest.raises(ServerError):
                await client.about()
    first, second = exporter.get_finished_spans()
    assert first.attributes["error.type"] == second.attributes["error.type"] == "ServerError"
    assert second.attributes["http.request.resend_count"] == 1
    assert not first.events
    assert not first.status.is_ok
    assert metrics(reader)["srs.client.retries"][0]["srs.operation"] == "about"


async def test_no_secret_is_told_to_anybody(server, simulator, exported, everything_logged):
    telemetry, exporter, reader = exported
    told: list[Event] = []
    password = "sentinel-password-7Qx"
    hidden, shown = "sentinel-parameter-7Qx", "sentinel-script-7Qx"
    auth = BasicAuth("sentinel", password)
    simulator.on_script(re.compile(".*sentinel-script.*", re.DOTALL), ScriptReply(output=["done"]))
    errors: list[str] = []
    async with connect(server, auth=auth, on_event=told.append, telemetry=telemetry) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.run(f"param($p) '{shown}'", parameters={"p": Secret(hidden)})
        errors.append(repr(caught.value) + str(caught.value))
    async with connect(server, on_event=told.append, telemetry=telemetry) as client:
        key = (await client.login()).reveal()
        result = await client.run(f"param($p) '{shown}'", parameters={"p": Secret(hidden)})
        errors.append(repr(result.outcome))
        ids = [result.execution.id]
    everything = "\n".join(
        [
            *errors,
            *(repr(event) for event in told),
            *(span.to_json() for span in exporter.get_finished_spans()),
            str(reader.get_metrics_data()),
            everything_logged.text,
            *(repr(vars(record)) for record in everything_logged.records if record.name == "srs_vsphere"),
        ]
    )
    assert "srs.run" in everything
    for secret in (password, hidden, shown, key):
        assert secret not in everything
    own = [record.getMessage() for record in everything_logged.records if record.name == "srs_vsphere"]
    assert not any(id in line for id in ids for line in own)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_event": 5}, "on_event must be callable"),
        ({"telemetry": 5}, "telemetry must be such as"),
        ({"telemetry": OpenTelemetry}, "telemetry must be such as"),
        ({"log_scripts": "no"}, "log_scripts must be True or False"),
    ],
)
def test_observers_of_the_wrong_kind_are_refused(server, options, words):
    with pytest.raises(TypeError, match=words):
        connect(server, **options)


class RaisingTelemetry:
    """A program's telemetry that raises in one place, or swallows what leaves its spans."""

    def __init__(self, place: str) -> None:
        self.place = place

    def _pass(self, place: str) -> None:
        if place == self.place:
            raise RuntimeError(f"a fault of the program's own in {place}")

    def span(self, name, attributes, *, client=False):
        self._pass("span")
        return self

    def __enter__(self):
        self._pass("enter")
        return self

    def __exit__(self, *exc_info):
        self._pass("exit")
        return self.place == "swallow"

    def set(self, attributes):
        self._pass("set")

    def fail(self, error):
        self._pass("fail")

    def record(self, event):
        self._pass("record")


@pytest.mark.parametrize("place", ["span", "enter", "exit", "swallow", "set", "fail", "record"])
async def test_telemetry_that_raises_ends_no_call(server, caplog, place):
    async with connect(server, telemetry=RaisingTelemetry(place), retry=RetryPolicy.off()) as client:
        assert (await client.run("'hello'")).output
        with server.faults.armed(Fault(operation="about", status=503)), pytest.raises(ServerError):
            await client.about()
    async with connect(
        server, auth=BasicAuth("alice", "wrong-7Qx"), telemetry=RaisingTelemetry(place)
    ) as client:
        with pytest.raises(AuthenticationError):
            await client.runspaces.list()
    told = [record for record in caplog.records if record.getMessage().startswith("telemetry raised")]
    assert bool(told) == (place != "swallow")


async def test_httpxs_own_instrumentation_lies_within(server, exported):
    telemetry, exporter, _ = exported
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=tracers)
    try:
        async with connect(server, telemetry=telemetry) as client:
            await client.about()
    finally:
        instrumentor.uninstrument()
    inner, outer = exporter.get_finished_spans()
    assert (inner.name, outer.name) == ("GET", "srs.about")
    assert inner.parent.span_id == outer.context.span_id
