"""What a client needs of telemetry; `srs_vsphere.otel` has it for OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from srs_vsphere.events import Event

Attributes: TypeAlias = Mapping[str, str | int | float]


class Span(Protocol):
    """A span under way."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes.

        Args:
            attributes: the attributes.
        """
        ...

    def fail(self, error: str) -> None:
        """Mark it as failed.

        Args:
            error: the error's class, or the HTTP status.
        """
        ...


@runtime_checkable
class Telemetry(Protocol):
    """Takes spans and events."""

    def span(
        self, name: str, attributes: Attributes, *, client: bool = False
    ) -> AbstractContextManager[Span]:
        """Return a context that is a span; an exception that leaves it marks it as failed.

        Args:
            name: its name.
            attributes: what is known at its beginning.
            client: whether it is one request to a server; default False.
        """
        ...

    def record(self, event: Event) -> None:
        """Count an event in the metrics.

        Args:
            event: the event.
        """
        ...
