"""What a call returns, decoded from a body that is all there: nothing, one object, texts, a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from srs_vsphere._codec import strict_json
from srs_vsphere._codec.json_array import JsonArrayDecoder, JsonArrayError
from srs_vsphere._codec.models import WireError, structurer
from srs_vsphere._service.call import Call
from srs_vsphere.errors import DecodeError, SrsError, StreamInterruptedError

T = TypeVar("T")


def decode_nothing(body: bytes, call: Call) -> None:
    """Leave the body alone."""


def decode_one(cls: type[T]) -> Callable[[bytes, Call], T]:
    """Return a function that decodes one JSON object.

    Args:
        cls: the model it is decoded into.
    """

    structure: Callable[[object], T] | None = None

    def decode(body: bytes, call: Call) -> T:
        nonlocal structure
        # Made on use: what it imports is not loaded before the first response.
        structure = structure or structurer(cls)
        try:
            item = structure(strict_json.loads(body))
            found: object = getattr(item, "id", None)
            # A record that the service has lost has no id: what waits for it says so.
            if not found or call.operation.is_about(found, call.path):
                return item
            problem = f"the response is about another {cls.__name__} than the one asked for: {found!r}"
        except WireError as error:
            problem = f"the response is no {cls.__name__}: {error}"
        except ValueError as error:
            problem = f"the response is not JSON: {error}"
        raise DecodeError(problem, **call.facts(status=call.status))

    return decode


def decode_texts(body: bytes, call: Call) -> list[str | None] | None:
    """Decode a list of texts, any of which may be missing; 204 stands for no list at all."""
    if call.status == 204:
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
    raise DecodeError(problem, **call.facts(status=call.status))


def decode_list(cls: type[T]) -> Callable[[bytes, Call], list[T]]:
    """Return a function that decodes a whole list.

    Args:
        cls: the model of its objects.
    """
    structure: Callable[[object], T] | None = None

    def decode(body: bytes, call: Call) -> list[T]:
        nonlocal structure
        structure = structure or structurer(cls)
        try:
            values = strict_json.loads(body)
            if type(values) is list:
                return list(map(structure, cast("list[object]", values)))
        except ValueError:
            # Again, one by one, to tell how many were fine.
            pass
        decoder = ListDecoder(cls, call)
        return [*map(decoder.decode, decoder.feed(body)), *map(decoder.decode, decoder.feed(b""))]

    return decode


def decode_list_or_none(cls: type[T]) -> Callable[[bytes, Call], list[T] | None]:
    """Return a function that decodes a whole list; 204 stands for no list at all.

    Args:
        cls: the model of its objects.
    """
    decode_list_of = decode_list(cls)

    def decode(body: bytes, call: Call) -> list[T] | None:
        return None if call.status == 204 else decode_list_of(body, call)

    return decode


class ListDecoder(Generic[T]):
    """Decodes a list of objects while its body arrives.

    Args:
        cls: the model of the objects.
        call: what errors tell of.

    Attributes:
        at_end: whether the list has ended as it should.
        error: what every further use raises, if anything was wrong.
    """

    def __init__(self, cls: type[T], call: Call) -> None:
        self.at_end: bool = False
        self.error: SrsError | None = None
        self._call = call
        self._name = cls.__name__
        self._structure = structurer(cls)
        self._decoder = JsonArrayDecoder()
        self._delivered = 0

    def feed(self, chunk: bytes) -> list[object]:
        """Take the next bytes of the body, and return what is whole of the list.

        Args:
            chunk: the bytes; none at the body's end.

        Raises:
            StreamInterruptedError: the list broke off.
            DecodeError: it is no list.
        """
        if self.error is not None:
            raise self.error.again()
        self.at_end = not chunk
        try:
            return self._decoder.feed(chunk) if chunk else self._decoder.close()
        except JsonArrayError as error:
            if error.truncated:
                failure = self.interrupted(str(error), None)
            else:
                failure = self._refused(f"the response is not the list it should be: {error}")
        raise failure

    def decode(self, value: object) -> T:
        """Make a model of an object of the list.

        Args:
            value: the object, as JSON has it.

        Raises:
            DecodeError: it does not fit the model.
        """
        try:
            item = self._structure(value)
        except WireError as error:
            failure = self._refused(f"the list holds what is no {self._name}: {error}")
        else:
            self._delivered += 1
            return item
        raise failure

    def interrupted(self, why: str, cause: Exception | None) -> SrsError:
        """Note that the list broke off, and return the error to raise.

        Args:
            why: what happened.
            cause: the exception behind it, or None.
        """
        self.error = StreamInterruptedError(
            f"the list broke off after {self._delivered} objects: {why}",
            items_delivered=self._delivered,
            **self._call.facts(status=self._call.status, cause=type(cause).__name__ if cause else None),
        )
        self.error.__cause__ = cause
        return self.error

    def close(self) -> None:
        """Refuse to go on, once the stream is closed."""
        if self.error is None and not self.at_end:
            self.error = StreamInterruptedError(
                "the stream was read after it was closed",
                items_delivered=self._delivered,
                **self._call.facts(status=self._call.status, advice="Read it inside its with block."),
            )

    def _refused(self, message: str) -> SrsError:
        self.error = DecodeError(
            f"{message} (after {self._delivered} objects)",
            items_delivered=self._delivered,
            **self._call.facts(status=self._call.status),
        )
        return self.error
