"""A server that never comes to the end of its responses, and never lets long pass without a byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.joining import join_all


@contextmanager
def dripping(begin: bytes, drop: bytes, pause: float) -> Iterator[str]:
    """Serve, and tell the url: each response begins like this, then comes a drop after each pause."""
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.recv(65536)
            sock.sendall(begin)
            while not over.wait(pause):
                sock.sendall(drop)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                thread = threading.Thread(target=drip, args=[listening.accept()[0]], daemon=True)
                threads.append(thread)
                thread.start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads = [threading.Thread(target=accept, daemon=True)]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            # Closing alone does not wake who waits in it.
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
    # Only when the first has ended are there no more.
    join_all(threads[:1])
    join_all(threads)
