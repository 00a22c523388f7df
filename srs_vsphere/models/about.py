"""What the service says of itself."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere.models.model import Model


@frozen
class About(Model):
    """The service's name and versions.

    Args:
        name: full name of the service.
        vendor: who made it.
        version: version of this installation.
        api_version: version of its API.
    """

    name: str | None = None
    vendor: str | None = None
    version: str | None = None
    api_version: str | None = None
