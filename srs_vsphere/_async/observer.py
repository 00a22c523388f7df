"""Who is told of what a client does: the log, the program's ``on_event``, and telemetry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from srs_vsphere._concurrency.hook import AsyncHook
from srs_vsphere._host_and_port import split_port
from srs_vsphere._service.call import Call
from srs_vsphere._service.event_log import log_event
from srs_vsphere._service.logged_telemetry import LoggedTelemetry
from srs_vsphere.telemetry import Attributes, Span, Telemetry

if TYPE_CHECKING:
    from srs_vsphere.events import Event


class AsyncObserver:
    """Passes events on.

    Args:
        on_event: the program's hook, or None.
        telemetry: what spans and metrics go to, or None.
        log_scripts: whether the text of scripts may be logged.
    """

    def __init__(
        self,
        on_event: Callable[[Event], object] | None = None,
        telemetry: Telemetry | None = None,
        *,
        log_scripts: bool = False,
    ) -> None:
        self._hook = None if on_event is None else AsyncHook["Event"]("on_event", on_event)
        self._telemetry = None if telemetry is None else LoggedTelemetry(telemetry)
        #: Whether anybody but the log is told what happens to each request.
        self.listens: bool = on_event is not None or telemetry is not None
        self.log_scripts: bool = log_scripts

    async def tell(self, event: Event) -> None:
        """Pass an event to the log, the program's ``on_event`` and telemetry."""
        log_event(event)
        if self._telemetry is not None:
            self._telemetry.record(event)
        if self._hook is not None:
            await self._hook.tell(event)

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span | None]:
        """Return a context that is a span of this name; it gives None without telemetry.

        Args:
            name: the span's name.
            attributes: what is known at its beginning.
        """
        return nullcontext() if self._telemetry is None else self._telemetry.span(name, attributes)

    def request_span(self, call: Call) -> AbstractContextManager[Span | None]:
        """Return a context that is the span of one attempt of a request."""
        if self._telemetry is None:
            return nullcontext()
        name, port = split_port(call.host)
        attributes: dict[str, str | int | float] = {
            "http.request.method": call.operation.method,
            # Without the ids: who knows a running script's id can read it.
            "url.template": call.operation.path,
            "server.address": name,
            "srs.operation": call.operation.name,
            "srs.attempt": call.attempts,
        }
        if port is not None:
            attributes["server.port"] = port
        if call.attempts > 1:
            attributes["http.request.resend_count"] = call.attempts - 1
        return self._telemetry.span(f"srs.{call.operation.name}", attributes, client=True)
