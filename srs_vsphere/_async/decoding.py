"""What a call returns, read from its response: nothing, one object, a list, or objects one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

import httpx

from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._codec import strict_json
from srs_vsphere._codec.json_array import JsonArrayDecoder, JsonArrayError
from srs_vsphere._codec.models import WireError, structurer
from srs_vsphere._service import failures
from srs_vsphere._service.call import Call
from srs_vsphere.errors import DecodeError, SrsError, StreamInterruptedError

T = TypeVar("T")


async def read_nothing(response: AsyncResponse, call: Call) -> None:
    """Read the body to its end, so that the connection can be used again."""
    del call
    await response.read()


def read_one(cls: type[T]) -> Callable[[AsyncResponse, Call], Awaitable[T]]:
    """Return a function that reads one JSON object.

    Args:
        cls: the model it is decoded into.
    """

    async def read(response: AsyncResponse, call: Call) -> T:
        body = await response.read()
        try:
            item = structurer(cls)(strict_json.loads(body))
            found: object = getattr(item, "id", None)
            # A record that the service has lost has no id: what waits for it says so.
            if not found or call.operation.is_about(found, call.path):
                return item
            problem = f"the response is about another {cls.__name__} than the one asked for: {found!r}"
        except WireError as error:
            problem = f"the response is no {cls.__name__}: {error}"
        except ValueError as error:
            problem = f"the response is not JSON: {error}"
        raise DecodeError(problem, **call.facts(status=response.status))

    return read


async def read_texts(response: AsyncResponse, call: Call) -> list[str | None] | None:
    """Read a list of texts, any of which may be missing; 204 stands for no list at all."""
    body = await response.read()
    if response.status == 204:
        return None
    try:
        texts = strict_json.loads(body)
    except ValueError as error:
        problem = f"the response is not JSON: {error}"
    else:
        if isinstance(texts, list) and all(
            text is None or isinstance(text, str) for text in cast("list[object]", texts)
        ):
            return cast("list[str | None]", texts)
        problem = "the response is not a list of texts"
    raise DecodeError(problem, **call.facts(status=response.status))


def read_list_or_none(cls: type[T]) -> Callable[[AsyncResponse, Call], Awaitable[list[T] | None]]:
    """Return a function that reads a whole list; 204 stands for no list at all.

    Args:
        cls: the model of its objects.
    """

    async def read(response: AsyncResponse, call: Call) -> list[T] | None:
        if response.status == 204:
            await response.read()
            return None
        return await AsyncObjects(response, call, cls).gather()

    return read


def read_list(cls: type[T]) -> Callable[[AsyncResponse, Call], Awaitable[list[T]]]:
    """Return a function that reads a whole list.

    Args:
        cls: the model of its objects.
    """

    async def read(response: AsyncResponse, call: Call) -> list[T]:
        return await AsyncObjects(response, call, cls).gather()

    return read


class AsyncObjects(Generic[T]):
    """An iterator of a list's objects, each decoded when it is asked for.

    Args:
        response: the open response.
        call: what errors tell of.
        cls: the model of the objects.
    """

    def __init__(self, response: AsyncResponse, call: Call, cls: type[T]) -> None:
        self._reply = response
        self._call = call
        self._name = cls.__name__
        self._structure = structurer(cls)
        # Made when the first bytes come: a list that is whole already is parsed without it.
        self._decoder: JsonArrayDecoder | None = None
        self._ready: deque[object] = deque()
        self._delivered = 0
        self._at_end = False
        self._error: SrsError | None = None

    def __aiter__(self) -> AsyncObjects[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            if not await self._fill():
                raise StopAsyncIteration
        return self._decode(self._ready.popleft())

    async def gather(self) -> list[T]:
        """Return all objects that are still to come.

        Raises:
            StreamInterruptedError: the list broke off.
            DecodeError: it is not a list of such objects.
        """
        values = self._whole()
        if values is not None:
            try:
                return list(map(self._structure, values))
            except WireError:
                # Again, one by one, to tell how many were fine.
                return [self._decode(value) for value in values]
        gathered: list[T] = []
        while self._ready or await self._fill():
            gathered.extend([self._decode(value) for value in self._ready])
            self._ready.clear()
        return gathered

    def close(self) -> None:
        """Refuse to be read any further."""
        self._ready.clear()
        if self._error is None and not self._at_end:
            self._error = StreamInterruptedError(
                "the stream was read after it was closed",
                items_delivered=self._delivered,
                **self._call.facts(status=self._reply.status, advice="Read it inside its with block."),
            )

    def _whole(self) -> list[object] | None:
        """Parse a list that is all there in one go; any other body is left to the decoder, which says why."""
        body = self._reply.whole()
        if body is None:
            return None
        try:
            values = strict_json.loads(body)
        except ValueError:
            return None
        return cast("list[object]", values) if isinstance(values, list) else None

    async def _fill(self) -> bool:
        """Decode what comes next, or say that the list has ended."""
        if self._error is not None:
            raise self._error.again()
        try:
            if self._decoder is None:
                self._decoder = JsonArrayDecoder()
            chunk = b"" if self._at_end else await self._reply.next_chunk()
            self._at_end = not chunk
            items = self._decoder.feed(chunk) if chunk else self._decoder.close()
        except httpx.HTTPError as error:
            failure = self._interrupted("its connection broke", failures.bare(error))
        except JsonArrayError as error:
            if error.truncated:
                failure = self._interrupted(str(error), None)
            else:
                failure = self._refused(f"the response is not the list it should be: {error}")
        else:
            self._ready.extend(items)
            return bool(items) or not self._at_end
        self._error = failure
        raise failure

    def _decode(self, value: object) -> T:
        try:
            item = self._structure(value)
        except WireError as error:
            failure = self._refused(f"the list holds what is no {self._name}: {error}")
        else:
            self._delivered += 1
            return item
        self._error = failure
        raise failure

    def _interrupted(self, why: str, cause: Exception | None) -> SrsError:
        error = StreamInterruptedError(
            f"the list broke off after {self._delivered} objects: {why}",
            items_delivered=self._delivered,
            **self._call.facts(status=self._reply.status, cause=type(cause).__name__ if cause else None),
        )
        error.__cause__ = cause
        return error

    def _refused(self, message: str) -> SrsError:
        return DecodeError(
            f"{message} (after {self._delivered} objects)",
            items_delivered=self._delivered,
            **self._call.facts(status=self._reply.status),
        )
