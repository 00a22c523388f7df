"""What a client's `from_env` takes: the client's own arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    # Nobody but type checkers reads what the types are.
    from collections.abc import Callable
    from os import PathLike

    import httpx

    from srs_vsphere.auth import Auth
    from srs_vsphere.events import Event
    from srs_vsphere.retry import RetryEvent, RetryPolicy
    from srs_vsphere.settings import Timeouts
    from srs_vsphere.telemetry import Telemetry
    from srs_vsphere.tls import Tls


class AsyncClientOptions(TypedDict, total=False):
    """Arguments of a client; each goes before what environment and profile say."""

    auth: Auth | None
    retry: RetryPolicy
    timeouts: Timeouts
    tls: Tls
    http_client: httpx.AsyncClient | None
    transport: httpx.AsyncBaseTransport | None
    max_connections: int
    on_retry: Callable[[RetryEvent], object] | None
    on_event: Callable[[Event], object] | None
    telemetry: Telemetry | None
    log_scripts: bool
    session_file: str | PathLike[str] | None
