"""The deadline bounds a call whose response comes byte by byte, whichever part of it that is."""

from __future__ import annotations

import re

import pytest

from srs_vsphere import ApiKeyAuth, SrsClient, OutcomeUnknownError, ResponseTimeoutError
from srs_vsphere._http import default_transport
from tests._sync.helping import error_once_sent, free_slots, make_client
from tests.dripping import dripping

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
        with make_client(url) as client:
            error = error_once_sent(client, lambda hurried: hurried.about())
            assert isinstance(error, ResponseTimeoutError)
            assert re.search("did not respond in time|within the deadline", str(error))
            assert free_slots(client) == 20


@pytest.mark.parametrize("what", ["status line", "header", "informational responses"])

def test_the_beginning_of_a_stream(what: str) -> None:
    def begin(client: SrsClient) -> None:
        with client.runspaces.stream():
            pass

    with dripping(*DRIPS[what]) as url:
        with make_client(url, auth=ApiKeyAuth("key")) as client:
            assert isinstance(error_once_sent(client, begin), ResponseTimeoutError)
            assert free_slots(client) == 20



def test_a_create() -> None:
    with dripping(*DRIPS["status line"]) as url:
        with make_client(url, auth=ApiKeyAuth("key")) as client:
            error = error_once_sent(client, lambda hurried: hurried.runspaces.create("nightly"))
            assert isinstance(error, OutcomeUnknownError)
