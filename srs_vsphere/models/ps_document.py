"""An output object as the service itself describes it."""

from __future__ import annotations

from attrs import field, frozen

from srs_vsphere.models.model import Model, texts


@frozen
class PSDocument(Model):
    """One output object with its .NET type.

    Args:
        type_name: full name of its type.
        interfaces: full names of the interfaces that the type implements.
        value: a scalar, or its properties by name; what lies deeper the service reduces to text.
    """

    type_name: str | None = None
    interfaces: tuple[str, ...] = field(default=(), converter=texts, repr=False)
    value: object = field(default=None, hash=False)
