"""What a call returns, read from its response: nothing, one object, a list, or objects one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import httpx

from srs_vsphere._sync.response import Response
from srs_vsphere._codec import strict_json
from srs_vsphere._codec.json_array import JsonArrayDecoder, JsonArrayError
from srs_vsphere._codec.models import WireError, structurer
from srs_vsphere._service import failures
from srs_vsphere._service.call import Call
from srs_vsphere.errors import DecodeError, SrsError, StreamInterruptedError

T = TypeVar("T")


def read_nothing(response: Response, call: Call) -> None:
    """Read the body to its end, so that the connection can be used again."""
    del call
    response.read()


def read_one(cls: type[T]) -> Callable[[Response, Call], T]:
    """Return a function that reads one JSON object.

    Args:
        cls: the model it is decoded into.
    """

    def read(response: Response, call: Call) -> T:
        body = response.read()
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


def read_texts(response: Response, call: Call) -> list[str | None] | None:
    """Read a list of texts, any of which may be missing; 204 stands for no list at all."""
    body = response.read()
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


def read_list_or_none(cls: type[T]) -> Callable[[Response, Call], list[T] | None]:
    """Return a function that reads a whole list; 204 stands for no list at all.

    Args:
        cls: the model of its objects.
    """

    def read(response: Response, call: Call) -> list[T] | None:
        if response.status == 204:
            response.read()
            return None
        return Objects(response, call, cls).gather()

    return read


def read_list(cls: type[T]) -> Callable[[Response, Call], list[T]]:
    """Return a function that reads a whole list.

    Args:
        cls: the model of its objects.
    """

    def read(response: Response, call: Call) -> list[T]:
        return Objects(response, call, cls).gather()

    return read


class Objects(Generic[T]):
    """An iterator of a list's objects, each decoded when it is asked for.

    Args:
        response: the open response.
        call: what errors tell of.
        cls: the model of the objects.
    """

    def __init__(self, response: Response, call: Call, cls: type[T]) -> None:
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

    def __iter__(self) -> Objects[T]:
        return self

    def __next__(self) -> T:
        while not self._ready:
            if not self._fill():
                raise StopIteration
        return self._decode(self._ready.popleft())

    def gather(self) -> list[T]:
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
        while self._ready or self._fill():
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

    def _fill(self) -> bool:
        """Decode what comes next, or say that the list has ended."""
        if self._error is not None:
            raise self._error.again()
        try:
            if self._decoder is None:
                self._decoder = JsonArrayDecoder()
            chunk = b"" if self._at_end else self._reply.next_chunk()
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
