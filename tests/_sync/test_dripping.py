"""The deadline bounds a call whose response comes byte by byte, whichever part of it that is."""

from __future__ import annotations

import pytest

from srs_vsphere import ApiKeyAuth, OutcomeUnknownError, ResponseTimeoutError, RetryPolicy
from srs_vsphere._http import default_transport
from tests._sync.helping import free_slots, make_client
from tests.dripping import dripping

POLICY = RetryPolicy(deadline=0.3)
#: What comes at once, what comes again and again, and after how many seconds.
DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O", 0.005),
    "header": (b"HTTP/1.1 200 OK\r\nServer: ", b"k", 0.005),
    "informational responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.05),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[", b" ", 0.005),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.005),
    "size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", 0.005),
}


@pytest.fixture(params=["own", "httpx"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send through our own transport where there is one, and through httpx's."""
    if request.param == "httpx":
        monkeypatch.setattr(default_transport.DefaultTransport, "own", lambda _: None)


@pytest.mark.parametrize("what", DRIPS)

def test_a_call(what: str) -> None:
    with dripping(*DRIPS[what]) as url:
        with make_client(url, retry=POLICY) as client:
            with pytest.raises(ResponseTimeoutError, match=r"did not respond in time|within the deadline"):
                client.about()
            assert free_slots(client) == 20


@pytest.mark.parametrize("what", ["status line", "header", "informational responses"])

def test_the_beginning_of_a_stream(what: str) -> None:
    with dripping(*DRIPS[what]) as url:
        with make_client(url, auth=ApiKeyAuth("key"), retry=POLICY) as client:
            with pytest.raises(ResponseTimeoutError):
                with client.runspaces.stream():
                    pass
            assert free_slots(client) == 20



def test_a_create() -> None:
    with dripping(*DRIPS["status line"]) as url:
        with make_client(url, auth=ApiKeyAuth("key"), retry=POLICY) as client:
            with pytest.raises(OutcomeUnknownError):
                client.runspaces.create("nightly")
