"""An output object as the service itself describes it."""

from __future__ import annotations

from attrs import define, field


@define
class PSDocument:
    """One output object with its .NET type.

    Args:
        type_name: full name of its type.
        interfaces: full names of the interfaces that the type implements.
        value: a scalar, or its properties by name; what lies deeper the service reduces to text.
    """

    type_name: str | None = None
    interfaces: list[str] = field(factory=list[str], repr=False)
    value: object = None
