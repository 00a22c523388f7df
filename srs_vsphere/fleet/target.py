"""A host of a fleet, as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from attrs import Attribute, field, frozen, validate

from srs_vsphere._validation import of_kind
from srs_vsphere.auth import Auth
from srs_vsphere.errors import InvalidArgumentError, InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.settings import Origin, check_auth
from srs_vsphere.tls import Tls


def _is_name(_: object, attribute: Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise InvalidArgumentTypeError(f"{attribute.name} must be text, not {type(value).__name__}")
    if not value.strip() or not value.isprintable():
        raise InvalidArgumentValueError(f"{attribute.name} must be printable and not blank, not {value!r}")


def _labels(value: Mapping[str, str]) -> dict[str, str]:
    try:
        return dict(value)
    except (TypeError, ValueError):
        # Refused below, when there is a whole object for a traceback with variables to show.
        return cast("dict[str, str]", value)


def _are_labels(_: object, attribute: Attribute[Mapping[str, str]], value: object) -> None:
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        if all(isinstance(name, str) and isinstance(text, str) for name, text in items):
            return
    raise InvalidArgumentTypeError(f"{attribute.name} must map text to text")


@frozen(init=False)
class Target:
    """A host of a fleet; it is never changed, and can be pickled if its credentials can.

    Args:
        name: what reports and events call it; no two targets of a fleet have the same.
        url: scheme, host and perhaps port, such as ``https://srs.example.com``.
        auth: the credentials; default None, which is not enough for anything that a fleet does.
        tls: how the host's certificate is checked; default `Tls()`. Targets with equal settings share one
            context.
        labels: words of your own, by name, which reports carry along; default none.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: the name is blank, or the URL has more than scheme, host and port.
    """

    name: str = field(validator=_is_name)
    url: str
    auth: Auth | None
    tls: Tls = field(validator=of_kind(Tls))
    labels: Mapping[str, str] = field(validator=_are_labels, hash=False)

    def __init__(
        self,
        name: str,
        url: str,
        auth: Auth | None = None,
        tls: Tls | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        refused: InvalidArgumentError | None = None
        # Either may be or hold a password where none belongs, and a traceback shows this frame's variables.
        try:
            Origin.parse(url)
        except InvalidArgumentError as error:
            refused, url = error, ""
        try:
            check_auth(auth)
        except InvalidArgumentError as error:
            refused, auth = error, None
        values = {
            "name": name,
            "url": url,
            "auth": auth,
            "tls": Tls() if tls is None else tls,
            "labels": _labels({} if labels is None else labels),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)
        if refused is not None:
            raise refused
        validate(self)


def check_targets(targets: Iterable[Target]) -> Sequence[Target]:
    """Return targets as a sequence, after a look at all of them.

    Args:
        targets: the hosts of a fleet.

    Raises:
        TypeError: one is no `Target`.
        ValueError: there is none, or two have one name.
    """
    if isinstance(targets, Target):
        raise InvalidArgumentTypeError("targets must hold Target objects, not be one: give [target]")
    found: dict[str, Target] = {}
    if not isinstance(targets, Iterable):
        raise InvalidArgumentTypeError(f"targets must hold Target objects, not be a {type(targets).__name__}")
    for place, target in enumerate(targets):
        if not isinstance(target, Target):
            raise InvalidArgumentTypeError(
                f"targets must hold Target objects, not {type(target).__name__} (number {place})"
            )
        if target.name in found:
            raise InvalidArgumentValueError(
                f"targets must have names of their own: two are named {target.name!r}"
            )
        found[target.name] = target
    if not found:
        raise InvalidArgumentValueError(
            "targets must hold at least one target: a fleet of none has nothing to do"
        )
    return tuple(found.values())
