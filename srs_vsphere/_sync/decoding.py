"""How the result of a call is taken out of its response: at once, or object by object as the body arrives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import httpx
from attrs import frozen

from srs_vsphere._sync.response import Response
from srs_vsphere._service import decoding, failures
from srs_vsphere._service.call import Call

T = TypeVar("T")


@frozen
class Reader(Generic[T]):
    """Takes the result of a call out of a successful response.

    Args:
        read: takes it out of a response whose body may still be arriving.
        decode: takes it out of a body that is all there; None where only `read` can.
        whole: whether `read` reads to the end.
    """

    read: Callable[[Response, Call], T]
    decode: Callable[[bytes, Call], T] | None = None
    whole: bool = True


def _of_body(decode: Callable[[bytes, Call], T]) -> Reader[T]:
    """Return a reader that needs the whole body."""

    def read(response: Response, call: Call) -> T:
        return decode(response.read(), call)

    return Reader(read, decode)


read_nothing: Reader[None] = _of_body(decoding.decode_nothing)
read_texts: Reader[list[str | None] | None] = _of_body(decoding.decode_texts)


def read_one(cls: type[T]) -> Reader[T]:
    """Return a reader of one JSON object.

    Args:
        cls: the model it is decoded into.
    """
    return _of_body(decoding.decode_one(cls))


def read_list(cls: type[T]) -> Reader[list[T]]:
    """Return a reader of a whole list, which is decoded while it arrives.

    Args:
        cls: the model of its objects.
    """

    def read(response: Response, call: Call) -> list[T]:
        return _WholeList(response, call, cls).gather()

    return Reader(read, decoding.decode_list(cls))


def read_list_or_none(cls: type[T]) -> Reader[list[T] | None]:
    """Return a reader of a whole list; 204 stands for no list at all.

    Args:
        cls: the model of its objects.
    """
    return _of_body(decoding.decode_list_or_none(cls))


class Objects(Generic[T]):
    """An iterator of a list's objects, each decoded when it is asked for.

    Args:
        response: the open response.
        call: what errors tell of.
        cls: the model of the objects.
    """

    def __init__(self, response: Response, call: Call, cls: type[T]) -> None:
        self._response = response
        self._decoder = decoding.ListDecoder(cls, call)
        self._ready: deque[object] = deque()

    def __iter__(self) -> Objects[T]:
        return self

    def __next__(self) -> T:
        while not self._ready:
            if not self._fill():
                raise StopIteration
        return self._decoder.decode(self._ready.popleft())

    def close(self) -> None:
        """Refuse to be read any further."""
        self._ready.clear()
        self._decoder.close()

    def _fill(self) -> bool:
        """Decode what comes next, or say that the list has ended."""
        decoder = self._decoder
        try:
            at_end = decoder.at_end or decoder.error is not None
            chunk = b"" if at_end else self._response.next_chunk()
        except httpx.HTTPError as error:
            failure = decoder.interrupted("its connection broke", failures.bare(error))
        else:
            items = decoder.feed(chunk)
            self._ready.extend(items)
            return bool(items) or not decoder.at_end
        raise failure


class _WholeList(Objects[T]):
    def gather(self) -> list[T]:
        """Return all objects that are still to come.

        Raises:
            StreamInterruptedError: the list broke off.
            DecodeError: it is not a list of such objects.
        """
        gathered: list[T] = []
        while self._ready or self._fill():
            gathered.extend(map(self._decoder.decode, self._ready))
            self._ready.clear()
        return gathered
