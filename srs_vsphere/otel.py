"""Spans and metrics for OpenTelemetry; the extra ``otel``.

``AsyncSrsClient(..., telemetry=OpenTelemetry())`` makes spans ``srs.run``, ``srs.login``, ``srs.wait`` and
one for each attempt of a request, and the metrics ``srs.client.request.duration`` (seconds),
``srs.client.retries`` and ``srs.client.scripts``. None of them holds a key, a password, a script or an id. It
works beside httpx's own instrumentation, whose spans lie within these.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

try:
    from opentelemetry import metrics, trace
except ImportError:
    raise ImportError("srs_vsphere.otel needs the extra: pip install srs-vsphere[otel]") from None

from srs_vsphere._version import __version__
from srs_vsphere.events import Event, RequestEnded, Retrying, ScriptEnded
from srs_vsphere.telemetry import Attributes

_NAME = "srs_vsphere"


class OpenTelemetry:
    """Telemetry of a client, for its argument ``telemetry``; one may serve many clients.

    Args:
        tracer_provider: where spans go; default the program's global one.
        meter_provider: where metrics go; default the program's global one.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._duration = meter.create_histogram(
            "srs.client.request.duration", unit="s", description="Time of one attempt of a request."
        )
        self._retries = meter.create_counter("srs.client.retries", description="Requests sent again.")
        self._scripts = meter.create_counter("srs.client.scripts", description="Scripts that ended.")

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, client: bool = False) -> Generator[_OtelSpan]:
        """Return a context that is a span; an exception that leaves it marks it as failed.

        Args:
            name: its name.
            attributes: what is known at its beginning.
            client: whether it is one request to a server; default False.
        """
        kind = trace.SpanKind.CLIENT if client else trace.SpanKind.INTERNAL
        # The exception itself is not recorded: its traceback may show what a span must not hold.
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as started:
            span = _OtelSpan(started)
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__)
                raise

    def record(self, event: Event) -> None:
        """Count an event in the metrics.

        Args:
            event: the event.
        """
        match event:
            case RequestEnded():
                attributes: dict[str, str | int] = {
                    "srs.operation": event.operation,
                    "server.address": event.host,
                }
                if event.status is not None:
                    attributes["http.response.status_code"] = event.status
                if event.error is not None:
                    attributes["error.type"] = event.error
                self._duration.record(event.seconds, attributes)
            case Retrying():
                self._retries.add(1, {"srs.operation": event.operation, "server.address": event.host})
            case ScriptEnded():
                outcome = event.outcome or "unknown"
                self._scripts.add(1, {"srs.outcome": outcome, "server.address": event.host})
            case _:
                pass


class _OtelSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, error: str) -> None:
        self._span.set_attribute("error.type", error)
        self._span.set_status(trace.StatusCode.ERROR, error)
