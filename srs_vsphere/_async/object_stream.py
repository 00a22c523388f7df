"""Streams of objects: open while inside their ``async with`` block, closed at its end whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from srs_vsphere._async.decoding import AsyncObjects, AsyncReader
from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._service.call import Call
from srs_vsphere._service.operations import Operation

T = TypeVar("T")


class AsyncObjectStream(Generic[T]):
    """A list of the service as an ``async with`` block, whose target iterates over its objects.

    The request is sent on entering the block. Leaving it early closes the connection at once. A failure
    before the response is retried like that of any call; once the response has begun, nothing is repeated.
    """

    def __init__(
        self, session: AsyncSession, operation: Operation, cls: type[T], timeout: float | None
    ) -> None:
        self._session = session
        self._operation = operation
        self._cls = cls
        self._timeout = timeout
        self._response: AsyncResponse | None = None
        self._objects: AsyncObjects[T] | None = None

    async def __aenter__(self) -> AsyncObjects[T]:
        if self._response is not None:
            raise RuntimeError("this stream is open already: make another for a second block")
        response, call = await self._session.call(self._operation, _read_opened, timeout=self._timeout)
        self._response = response
        self._objects = AsyncObjects(response, call, self._cls)
        return self._objects

    if not TYPE_CHECKING:  # To a type checker the missing method says the same.

        def __aiter__(self) -> NoReturn:
            raise TypeError("enter it first: `async with ....stream() as items:`, `async for item in items:`")

    async def __aexit__(self, *exc_info: object) -> None:
        response, self._response = self._response, None
        objects, self._objects = self._objects, None
        if objects is not None:
            objects.close()
        if response is not None:
            await response.aclose()


async def _keep_open(response: AsyncResponse, call: Call) -> tuple[AsyncResponse, Call]:
    return response.keep(), call


_read_opened = AsyncReader(_keep_open, whole=False)
