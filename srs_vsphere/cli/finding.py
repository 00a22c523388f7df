"""Which runspaces are meant: by id, by name, or by what they are like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from attrs import frozen

from srs_vsphere.cli.problems import UsageError
from srs_vsphere.models import Runspace

if TYPE_CHECKING:
    from srs_vsphere import SrsClient


#: What the service's ids end with.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


@frozen(kw_only=True)
class Filters:
    """What runspaces are like.

    Args:
        older: seconds; those created longer ago.
        name: a pattern of names, as a shell has it.
        state: their state.
    """

    older: float | None = None
    name: str | None = None
    state: str | None = None

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self != Filters()

    def matching(self, runspaces: Sequence[Runspace]) -> list[Runspace]:
        """Return the runspaces that are like that, in the same order.

        Args:
            runspaces: the runspaces.
        """
        return [runspace for runspace in runspaces if self._fits(runspace)]

    def _fits(self, runspace: Runspace) -> bool:
        if self.older is not None:
            born = runspace.creation_time
            if born is None or (datetime.now(UTC) - born).total_seconds() < self.older:
                return False
        if self.name is not None and not fnmatchcase(runspace.name or "", self.name):
            return False
        return self.state is None or str(runspace.state) == self.state


def find_runspace(
    client: SrsClient, given: str, argument: str, *, known: Sequence[Runspace] | None = None
) -> Runspace:
    """Return the runspace with an id or a name.

    Args:
        client: asks for the runspaces.
        given: the id or the name.
        argument: the argument's name, for errors.
        known: the runspaces, if they were asked for already.

    Raises:
        UsageError: no runspace has that name, or several have.
        NotFoundError: no runspace has that id.
        SrsError: the call failed.
    """
    if not given.strip():
        raise UsageError(argument, "it must not be blank")
    runspaces = client.runspaces.list() if known is None else known
    found = [runspace for runspace in runspaces if runspace.id == given]
    if not found and _ID.search(given):
        # Its error says what became of it.
        return client.runspaces.get(given)
    found = found or [runspace for runspace in runspaces if runspace.name == given]
    if not found:
        raise UsageError(argument, f"there is no runspace {given!r}: `srs runspace ls` lists them")
    if len(found) > 1:
        ids = ", ".join(runspace.id for runspace in found)
        raise UsageError(argument, f"{len(found)} runspaces are named {given!r}: give an id ({ids})")
    return found[0]
