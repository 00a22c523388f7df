"""A program's telemetry whose own faults are logged: none of them ends a call."""

from __future__ import annotations

from collections.abc import Callable
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
        _logged(self._telemetry.record, event)


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
        _logged(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._context is None:
            return
        try:
            self._context.__exit__(kind, error, traceback)
        except Exception as problem:  # noqa: BLE001 - as below
            if problem is not error:
                _log_problem()

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""
        if self._span is not None:
            _logged(self._span.set, attributes)

    def fail(self, error: str) -> None:
        """Mark it as failed."""
        if self._span is not None:
            _logged(self._span.fail, error)

    def _begin(self) -> None:
        context = self._telemetry.span(self._name, self._attributes, client=self._client)
        self._span = context.__enter__()
        self._context = context


def _logged(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except Exception:  # noqa: BLE001 - a program's telemetry may raise anything, and the call must go on
        _log_problem()


def _log_problem() -> None:
    LOG.exception("telemetry raised; the call goes on")
