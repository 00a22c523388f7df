"""Streams of objects: open while inside their ``with`` block, closed at its end whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from srs_vsphere._sync.decoding import Objects, Reader
from srs_vsphere._sync.response import Response
from srs_vsphere._sync.session import Session
from srs_vsphere._service.call import Call
from srs_vsphere._service.operations import Operation

T = TypeVar("T")


class ObjectStream(Generic[T]):
    """A list of the service as a ``with`` block, whose target iterates over its objects.

    The request is sent on entering the block. Leaving it early closes the connection at once. A failure
    before the response is retried like that of any call; once the response has begun, nothing is repeated.
    """

    def __init__(
        self, session: Session, operation: Operation, cls: type[T], timeout: float | None
    ) -> None:
        self._session = session
        self._operation = operation
        self._cls = cls
        self._timeout = timeout
        self._response: Response | None = None
        self._objects: Objects[T] | None = None

    def __enter__(self) -> Objects[T]:
        if self._response is not None:
            raise RuntimeError("this stream is open already: make another for a second block")
        response, call = self._session.call(self._operation, _read_opened, timeout=self._timeout)
        self._response = response
        self._objects = Objects(response, call, self._cls)
        return self._objects

    if not TYPE_CHECKING:  # To a type checker the missing method says the same.

        def __iter__(self) -> NoReturn:
            raise TypeError("enter it first: `with ....stream() as items:`, `for item in items:`")

    def __exit__(self, *exc_info: object) -> None:
        response, self._response = self._response, None
        objects, self._objects = self._objects, None
        if objects is not None:
            objects.close()
        if response is not None:
            response.close()


def _keep_open(response: Response, call: Call) -> tuple[Response, Call]:
    return response.keep(), call


_read_opened = Reader(_keep_open, whole=False)
