"""How a fleet stands, as a value that can be saved and taken up again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Self, cast

import attrs
from attrs import define, field

from srs_vsphere._codec.models import structurer
from srs_vsphere._codec.strict_json import loads
from srs_vsphere.errors import InvalidArgumentValueError
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import Runspace
from srs_vsphere.settings import Origin

_FORMAT = "srs_vsphere fleet snapshot 1"


@define
class HostSnapshot:
    """How a host stands, by what a watch has told of it.

    Args:
        runspaces: its runspaces by id, as last seen; None if the host never answered.
        up: whether it answers; None if nothing is known.
        seen: when it last answered.
        url: its address; None if that is not known.
    """

    runspaces: dict[str, Runspace] | None = None
    up: bool | None = None
    seen: datetime | None = None
    url: str | None = None

    def copy(self) -> Self:
        """Return one that a running watch does not change."""
        return attrs.evolve(self, runspaces=None if self.runspaces is None else dict(self.runspaces))


@define
class FleetSnapshot:
    """How all hosts of a fleet stand; it can be pickled, and holds no credentials.

    Args:
        hosts: the hosts by name, those that were polled at all.
    """

    hosts: dict[str, HostSnapshot] = field(factory=dict[str, HostSnapshot])

    def copy(self) -> Self:
        """Return one that a running watch does not change."""
        return type(self)({name: host.copy() for name, host in self.hosts.items()})

    def to_json(self) -> str:
        """Return it as JSON text, for a file."""
        return json.dumps({"format": _FORMAT, "hosts": attrs.asdict(self)["hosts"]}, default=_plain)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Make one from what `to_json` returned.

        Args:
            text: the JSON text.

        Raises:
            ValueError: it is not from `to_json`.
        """
        try:
            found = loads(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
        except ValueError as error:
            raise InvalidArgumentValueError(f"the text is not a {_FORMAT}: {error}") from None
        if not isinstance(found, dict) or cast("dict[str, object]", found).get("format") != _FORMAT:
            raise InvalidArgumentValueError(f"the text is not a {_FORMAT}")
        try:
            listed = cast("dict[str, dict[str, object]]", found["hosts"])
            return cls({name: _host(host) for name, host in listed.items()})
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InvalidArgumentValueError(f"the text is not a whole {_FORMAT}: {error!r}") from None


def keep_hosts(snapshot: FleetSnapshot, targets: Iterable[Target]) -> None:
    """Forget all hosts but some, and of these what was seen at another address than they have now.

    Args:
        snapshot: how the hosts stand; it is changed.
        targets: the hosts that are kept.
    """
    known, snapshot.hosts = snapshot.hosts, {}
    for target in targets:
        host, url = known.get(target.name), Origin.parse(target.url).url
        if host is not None and host.url in {None, url}:
            host.url = url
            snapshot.hosts[target.name] = host


def _host(host: dict[str, object]) -> HostSnapshot:
    structured = structurer(Runspace)
    listed = cast("dict[str, dict[str, object]] | None", host["runspaces"])
    runspaces = None if listed is None else {id_: structured(_known(value)) for id_, value in listed.items()}
    for id_, runspace in (runspaces or {}).items():
        if runspace.id != id_:
            raise InvalidArgumentValueError(f"runspace {runspace.id} has the place of {id_}")
    up = host["up"]
    if up is not None and not isinstance(up, bool):
        raise InvalidArgumentValueError(f"up must be true, false or null, not {up!r}")
    said = cast("str | None", host["seen"])
    seen = None if said is None else datetime.fromisoformat(said)
    if seen is not None and seen.tzinfo is None:
        raise InvalidArgumentValueError(f"{said} has no time zone")
    url = host.get("url")
    if url is not None and not isinstance(url, str):
        raise InvalidArgumentValueError(f"url must be text or null, not {url!r}")
    return HostSnapshot(runspaces, up, seen, url)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")


def _known(value: dict[str, object]) -> dict[str, object]:
    # As the service does, the decoder takes a member that is missing for one that is not known.
    return {
        name: _known(cast("dict[str, object]", member)) if isinstance(member, dict) else member
        for name, member in value.items()
        if member is not None
    }
