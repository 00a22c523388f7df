"""The model binder: a body into a model's values, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from srs_vsphere.simulator.exchange import Request
from srs_vsphere.simulator.lenient_json import JsonError, Node, parse, place
from srs_vsphere.simulator.problems import BindingError, cannot_deserialize

_NAMESPACE = "VMware.ScriptRuntimeService.APIGateway.DataTypes"
_EMPTY = "A non-empty request body is required."


class Body:
    """A JSON object that is being read into a model; what is wrong with it is collected.

    Args:
        node: the object.
        binder: collects what is wrong.
        name: what the model calls this object in its own words; empty for the root.
    """

    def __init__(self, node: Node, binder: Binder, name: str = "") -> None:
        self._node = node
        self._binder = binder
        self._name = name

    def any(self, member: str) -> Node | None:
        """Return a member as it is, or None.

        Args:
            member: its name.
        """
        return self._find(member)

    def text(self, member: str, required_as: str | None = None) -> str | None:
        """Return a member that is a text; numbers and booleans are taken as they were written.

        Args:
            member: its name.
            required_as: the model's own name for it if it must be there and not blank.
        """
        node = self._present(member, required_as)
        text = None if node is None or node.kind == "null" else self._plain_text(node)
        if required_as is not None and node is not None and not (text or "").strip():
            self._binder.missing(self._name, required_as)
        return text

    def flag(self, member: str) -> bool:
        """Return a member that is true or false, also as a number or as a word.

        Args:
            member: its name.
        """
        node = self._find(member)
        text = None if node is None or node.kind == "null" else self._plain_text(node)
        if node is None or not text:
            return False
        if node.kind == "number":
            return bool(node.value())
        word = text.strip().lower()
        if word not in {"true", "false"}:
            self._binder.wrong(node, f"Could not convert string to boolean: {text}.")
        return word == "true"

    def time(self, member: str) -> None:
        """Look whether a member is a time; the service reads it only to forget it.

        Args:
            member: its name.
        """
        node = self._find(member)
        if node is not None and node.kind == "string" and not _is_time(node.text):
            self._binder.wrong(node, f"Could not convert string to DateTime: {node.text}.")

    def choice(self, member: str, kind: str, words: tuple[str, ...]) -> int:
        """Return the number of a word; a number is taken even if it has no word.

        Args:
            member: the member's name.
            kind: the service's name of the type.
            words: the words, in the order of their numbers.
        """
        node = self._find(member)
        if node is None or node.kind == "null":
            return 0
        text = node.text.strip()
        # Python does not read a number of thousands of digits.
        if re.fullmatch(r"[-+]?\d{1,19}", text):
            return int(text)
        if node.kind == "string" and text.lower() in words:
            return words.index(text.lower())
        shown = f'"{node.text}"' if node.kind == "string" else node.text
        self._binder.wrong(node, f"Error converting value {shown} to type '{_NAMESPACE}.{kind}'.")
        return 0

    def objects(self, member: str, kind: str, name: str, *, required: bool) -> list[Body | None] | None:
        """Return a member that is an array of objects; null elements stay.

        Args:
            member: its name.
            kind: the service's name of the elements' type.
            name: the model's own name for it.
            required: whether it must be there.
        """
        nodes = self._array(member, f"{_NAMESPACE}.{kind}", name, required=required)
        if nodes is None:
            return None
        bodies: list[Body | None] = []
        for index, node in enumerate(nodes):
            if node.kind == "null":
                bodies.append(None)
            else:
                self._binder.expect_object(node, kind)
                bodies.append(Body(node, self._binder, f"{self._name}{name}[{index}]."))
        return bodies

    def texts(self, member: str, name: str) -> list[str | None]:
        """Return a member that must be an array of texts.

        Args:
            member: its name.
            name: the model's own name for it.
        """
        nodes = self._array(member, "System.String", name, required=True) or []
        return [None if node.kind == "null" else self._plain_text(node) for node in nodes]

    def _array(self, member: str, kind: str, name: str, *, required: bool) -> Sequence[Node] | None:
        node = self._present(member, name if required else None)
        if node is None:
            return None
        if node.kind == "null":
            if required:
                self._binder.missing(self._name, name)
            return None
        if node.kind != "array":
            self._binder.expect(node, "array", f"{kind}[]")
        return node.elements

    def _find(self, member: str) -> Node | None:
        found = None
        for name, node in self._node.members:
            if name == member or name.lower() == member:
                found = node
        return found

    def _present(self, member: str, required_as: str | None) -> Node | None:
        node = self._find(member)
        if node is None and required_as is not None:
            self._binder.not_found(self._node, member)
        return node

    def _plain_text(self, node: Node) -> str:
        if node.kind not in {"object", "array"}:
            return node.text
        bracket = "{" if node.kind == "object" else "["
        where = place(node.path, node.bracket)
        self._binder.add(
            node.path, f"Unexpected character encountered while parsing value: {bracket}. {where}"
        )
        if node.after is not None:
            sign, position = node.after
            what = f"After parsing a value an unexpected character was encountered: {sign}."
            self._binder.add(node.path, f"{what} {place(node.path, position)}")
        return ""


class Binder:
    """What is wrong with one body: first what cannot be read, then what a rule forbids."""

    def __init__(self) -> None:
        self._errors: dict[str, list[str]] = {}
        self._rules: dict[str, list[str]] = {}

    def add(self, key: str, message: str) -> None:
        """Note that something cannot be read.

        Args:
            key: the member's path.
            message: what is wrong.
        """
        self._errors.setdefault(key, []).append(message)

    def wrong(self, node: Node, what: str) -> None:
        """Note that a value is not of the type that it should be.

        Args:
            node: the value.
            what: what is wrong.
        """
        self.add(node.path, f"{what} {place(node.path, node.closed)}")

    def not_found(self, node: Node, member: str) -> None:
        """Note that an object lacks a member that it must have.

        Args:
            node: the object.
            member: the member's name.
        """
        key = f"{node.path}.{member}" if node.path else member
        self.add(key, f"Required property '{member}' not found in JSON. {place(node.path, node.closed)}")

    def missing(self, owner: str, name: str) -> None:
        """Note that a member is null or blank although it must not be.

        Args:
            owner: the model's own name of the object, with a dot.
            name: the model's own name of the member.
        """
        self._rules.setdefault(owner + name, []).append(f"The {name} field is required.")

    def expect_object(self, node: Node, kind: str) -> None:
        """Give up unless a value is an object.

        Args:
            node: the value.
            kind: the service's name of the type.

        Raises:
            BindingError: it is none.
        """
        if node.kind != "object":
            self.expect(node, "object", f"{_NAMESPACE}.{kind}")

    def expect(self, node: Node, wanted: str, kind: str) -> NoReturn:
        """Give up because a value is of another kind than an object or an array that was expected.

        Args:
            node: the value.
            wanted: ``object`` or ``array``.
            kind: the service's full name of the type.

        Raises:
            BindingError: always.
        """
        if node.kind in {"object", "array"}:
            self.add(node.path, cannot_deserialize(node, wanted, kind))
        else:
            shown = f'"{node.text}"' if node.kind == "string" else node.text
            self.wrong(node, f"Error converting value {shown} to type '{kind}'.")
        raise BindingError(self._errors)

    def check(self) -> None:
        """End the reading.

        Raises:
            BindingError: something was wrong.
        """
        errors = self._errors or self._rules
        if errors:
            raise BindingError(dict(reversed(errors.items())))


def bind(request: Request, kind: str) -> tuple[Body, Binder]:
    """Begin to read a request's body into a model.

    Args:
        request: the request.
        kind: the service's name of the model.

    Returns:
        The body's object, and what collects its errors; `Binder.check` ends the reading.

    Raises:
        BindingError: there is no object.
    """
    if not request.header("content-type"):
        raise BindingError(None)
    binder = Binder()
    try:
        node = parse(request.body.decode("utf-8-sig", "replace"))
    except JsonError as error:
        raise BindingError({error.path: [str(error)]}) from None
    if node is None or node.kind == "null":
        raise BindingError({"": [_EMPTY]})
    binder.expect_object(node, kind)
    return Body(node, binder), binder


def _is_time(text: str) -> bool:
    parsers: tuple[Callable[[str], object], ...] = (
        datetime.fromisoformat,
        lambda value: datetime.strptime(value, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC),
        lambda value: datetime.strptime(value, "%m/%d/%Y").replace(tzinfo=UTC),
    )
    for parser in parsers:
        try:
            parser(text.strip())
        except ValueError:
            continue
        return True
    return False
