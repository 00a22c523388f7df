"""A program's telemetry whose own faults are logged: none of them ends a call."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from srs_vsphere._service.event_log import LOG

if TYPE_CHECKING:
    from srs_vsphere.events import Event
    from srs_vsphere.telemetry import Attributes, Span, Telemetry


class LoggedTelemetry:
    """Passes on to a program's telemetry, and logs what that raises.

    Args:
        telemetry: the program's.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def span(self, name: str, attributes: Attributes, *, client: bool = False) -> LoggedSpan:
        """Return a context that is a span, and gives it."""
        return LoggedSpan(self._telemetry, name, attributes, client=client)

    def record(self, event: Event) -> None:
        """Count an event in the metrics."""
        try:
            self._telemetry.record(event)
        except Exception:  # noqa: BLE001 - it may raise anything, here as below, and the call must go on
            _log_problem()


class LoggedSpan:
    """A span of a program's telemetry; what leaves its context goes on, whatever the span makes of it."""

    def __init__(self, telemetry: Telemetry, name: str, attributes: Attributes, *, client: bool) -> None:
        self._telemetry = telemetry
        self._name = name
        self._attributes = attributes
        self._client = client
        self._context: AbstractContextManager[Span] | None = None
        self._span: Span | None = None

    def __enter__(self) -> Self:
        try:
            context = self._telemetry.span(self._name, self._attributes, client=self._client)
            self._span = context.__enter__()
            self._context = context
        except Exception:  # noqa: BLE001
            _log_problem()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._context is None:
            return
        try:
            self._context.__exit__(kind, error, traceback)
        except Exception as problem:  # noqa: BLE001
            if problem is not error:
                _log_problem()

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""
        try:
            if self._span is not None:
                self._span.set(attributes)
        except Exception:  # noqa: BLE001
            _log_problem()

    def fail(self, error: str) -> None:
        """Mark it as failed."""
        try:
            if self._span is not None:
                self._span.fail(error)
        except Exception:  # noqa: BLE001
            _log_problem()


def _log_problem() -> None:
    LOG.exception("telemetry raised; the call goes on")
