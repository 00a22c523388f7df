"""What pydantic has to know of a model: its members, how it is made, and how it becomes plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


def schema_of(cls: type, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return the schema of a model.

    Args:
        cls: the model's class.
        handler: pydantic's own, which knows the members' types.
    """
    attrs.resolve_types(cls)
    members = core_schema.typed_dict_schema(
        {
            member.name: core_schema.typed_dict_field(
                handler.generate_schema(member.type), required=member.default is attrs.NOTHING
            )
            for member in attrs.fields(cls)
        }
    )
    made = core_schema.no_info_after_validator_function(lambda data: cls(**data), members)
    return core_schema.json_or_python_schema(
        json_schema=made,
        python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), made]),
        serialization=core_schema.plain_serializer_function_ser_schema(_members, return_schema=members),
    )


def _members(model: attrs.AttrsInstance) -> dict[str, object]:
    # What a member becomes pydantic knows itself.
    return {member.name: getattr(model, member.name) for member in attrs.fields(type(model))}
