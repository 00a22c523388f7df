"""Ways to poll a service from sync code, each as its users would write it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, TypeAlias

from attrs import define

from tests.benchmarks.places import KEY, KEY_HEADER, PATH, written

Call: TypeAlias = Callable[[], list[Any]]

SOCKET = "bare socket + json"
HTTP_CLIENT = "http.client + json"
URLLIB3 = "urllib3 + json"
HTTPX = "httpx.Client + json"
OURS = "srs_vsphere"


@define
class OneServer:
    """Where to poll.

    Args:
        port: of the server, on loopback.
        ca_file: the certificate to trust; None for plain HTTP.
    """

    port: int
    ca_file: str | None

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"{'http' if self.ca_file is None else 'https'}://127.0.0.1:{self.port}"

    def context(self) -> ssl.SSLContext | None:
        """Return a client's context for TLS."""
        return None if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)


@contextmanager
def _socket(server: OneServer) -> Iterator[Call]:
    context, request = server.context(), written(server.port)
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        sock = plain if context is None else context.wrap_socket(plain, server_hostname="127.0.0.1")

        def call() -> list[Any]:
            sock.sendall(request)
            # The server sends head and body at once, and loopback does not part them.
            _, _, body = sock.recv(65536).partition(b"\r\n\r\n")
            runspaces: list[Any] = json.loads(body)
            return runspaces

        yield call
        sock.close()


@contextmanager
def _http_client(server: OneServer) -> Iterator[Call]:
    context = server.context()
    connection = (
        http.client.HTTPConnection("127.0.0.1", server.port)
        if context is None
        else http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
    )
    with closing(connection):

        def call() -> list[Any]:
            connection.request("GET", PATH, headers=KEY_HEADER)
            runspaces: list[Any] = json.loads(connection.getresponse().read())
            return runspaces

        yield call


@contextmanager
def _urllib3(server: OneServer) -> Iterator[Call]:
    import urllib3

    # As many connections as threads will want at once; its own default keeps one.
    with urllib3.PoolManager(maxsize=8, ssl_context=server.context()) as pool:
        url = server.url + PATH

        def call() -> list[Any]:
            runspaces: list[Any] = json.loads(pool.request("GET", url, headers=KEY_HEADER).data)
            return runspaces

        yield call


@contextmanager
def _httpx(server: OneServer) -> Iterator[Call]:
    import httpx

    verify = server.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(headers=KEY_HEADER, verify=verify) as client:
        url = server.url + PATH

        def call() -> list[Any]:
            runspaces: list[Any] = json.loads(client.get(url).content)
            return runspaces

        yield call


@contextmanager
def _ours(server: OneServer) -> Iterator[Call]:
    from srs_vsphere import ApiKeyAuth, SrsClient, Tls

    with SrsClient(server.url, auth=ApiKeyAuth(KEY), tls=Tls(ca_file=server.ca_file)) as client:
        yield client.runspaces.list


CONTENDERS: Mapping[str, Callable[[OneServer], AbstractContextManager[Call]]] = {
    SOCKET: _socket,
    HTTP_CLIENT: _http_client,
    URLLIB3: _urllib3,
    HTTPX: _httpx,
    OURS: _ours,
}
