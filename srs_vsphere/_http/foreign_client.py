"""A program's own HTTP client of another library than httpx, such as httpx2, as a transport of httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import httpx


class AsyncForeignTransport(httpx.AsyncBaseTransport):
    """Sends requests through a client that has httpx's methods and another library's classes.

    Args:
        client: the client, which is not closed with the transport.
        library: whose exceptions it raises.
    """

    def __init__(self, client: Any, library: ModuleType) -> None:  # noqa: ANN401 - of a library that is not known here
        self._client = client
        self._errors = _Errors(library)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.TransportError: the like of it was raised.
        """
        with self._errors.translated():
            response = await self._client.send(
                _built(self._client, request), stream=True, follow_redirects=False
            )
        stream = _AsyncBody(response, self._errors)
        return httpx.Response(
            response.status_code, headers=response.headers.raw, stream=stream, extensions=response.extensions
        )


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: Any, errors: _Errors) -> None:  # noqa: ANN401 - likewise
        self._response = response
        self._errors = errors

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._errors.translated():
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def aclose(self) -> None:
        with self._errors.translated():
            await self._response.aclose()


class ForeignTransport(httpx.BaseTransport):
    """Sends requests through a client that has httpx's methods and another library's classes.

    Args:
        client: the client, which is not closed with the transport.
        library: whose exceptions it raises.
    """

    def __init__(self, client: Any, library: ModuleType) -> None:  # noqa: ANN401 - likewise
        self._client = client
        self._errors = _Errors(library)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.TransportError: the like of it was raised.
        """
        with self._errors.translated():
            built = _built(self._client, request)
            response = self._client.send(built, stream=True, follow_redirects=False)
        return httpx.Response(
            response.status_code,
            headers=response.headers.raw,
            stream=_Body(response, self._errors),
            extensions=response.extensions,
        )


class _Body(httpx.SyncByteStream):
    def __init__(self, response: Any, errors: _Errors) -> None:  # noqa: ANN401 - likewise
        self._response = response
        self._errors = errors

    def __iter__(self) -> Iterator[bytes]:
        with self._errors.translated():
            yield from self._response.iter_raw()

    def close(self) -> None:
        with self._errors.translated():
            self._response.close()


class _Errors:
    """The other library's exceptions, each made into httpx's of the same name."""

    def __init__(self, library: ModuleType) -> None:
        self._base: type[Exception] = library.HTTPError

    @contextmanager
    def translated(self) -> Generator[None]:
        try:
            yield
        except self._base as error:
            translated = _like(error)
        else:
            return
        # Outside of the handler: the other's traceback holds the request.
        raise translated


def _built(client: Any, request: httpx.Request) -> Any:  # noqa: ANN401 - likewise
    return client.build_request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=request.content or None,
        extensions={"timeout": request.extensions["timeout"]},
    )


def _like(error: Exception) -> httpx.HTTPError:
    for cls in type(error).__mro__:
        found = getattr(httpx, cls.__name__, None)
        if isinstance(found, type) and issubclass(found, httpx.TransportError):
            return found(str(error))
    return httpx.TransportError(str(error))
