"""Names that nothing else has, by which a creation whose response was lost can be found."""

from __future__ import annotations

import os
import re

_PREFIX = "srs-vsphere"
_UNIQUE = re.compile(rf"{_PREFIX}-[0-9a-f]{{16}}")


def unique_name(prefix: str | None = None) -> str:
    """Return a name that nothing else has, by which a lost creation can be found."""
    return f"{prefix or _PREFIX}-{os.urandom(8).hex()}"


def is_unique_name(name: str | None) -> bool:
    """Tell whether a name is one that `unique_name` makes without a prefix."""
    return name is not None and _UNIQUE.fullmatch(name) is not None
