"""What is answered when a request cannot be bound to its operation: the framework's validation problems."""

from __future__ import annotations

from srs_vsphere.simulator.answers import Json, json_reply
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.lenient_json import Node, place

_RFC = "https://tools.ietf.org/html/rfc7231#section-"


class BindingError(Exception):
    """A request cannot be bound.

    Args:
        errors: what is wrong, by member; None means that the body's kind is not known.
    """

    def __init__(self, errors: dict[str, list[str]] | None) -> None:
        super().__init__("a request cannot be bound")
        self.errors = errors

    def reply(self, trace_id: str) -> Reply:
        """Return the answer.

        Args:
            trace_id: identifies the request.
        """
        if self.errors is None:
            kind, title, status = _RFC + "6.5.13", "Unsupported Media Type", 415
        else:
            kind, title, status = _RFC + "6.5.1", "One or more validation errors occurred.", 400
        members: dict[str, Json] = {} if self.errors is None else {"errors": self.errors}
        members |= {"type": kind, "title": title, "status": status, "traceId": trace_id}
        return json_reply(members, status)


def cannot_deserialize(node: Node, wanted: str, kind: str) -> str:
    """Return the words for an object where an array should be, or the other way round.

    Args:
        node: what is there.
        wanted: ``object`` or ``array``.
        kind: the service's full name of the type.
    """
    # The service's own words: users look for them in its answers.
    an_array = "JSON array (e.g. [1,2,3])"
    an_object = 'JSON object (e.g. {"name":"value"})'
    if wanted == "object":
        return (
            f"Cannot deserialize the current {an_array} into type '{kind}' because the type requires a "
            f"{an_object} to deserialize correctly.\nTo fix this error either change the JSON to a "
            f"{an_object} or change the deserialized type to an array or a type that implements a collection "
            "interface (e.g. ICollection, IList) like List<T> that can be deserialized from a JSON array. "
            "JsonArrayAttribute can also be added to the type to force it to deserialize from a JSON array.\n"
            f"{place(node.path, node.opened)}"
        )
    return (
        f"Cannot deserialize the current {an_object} into type '{kind}' because the type requires a "
        f"{an_array} to deserialize correctly.\nTo fix this error either change the JSON to a {an_array} or "
        "change the deserialized type so that it is a normal .NET type (e.g. not a primitive type like "
        "integer, not a collection type like an array or List<T>) that can be deserialized from a JSON "
        "object. JsonObjectAttribute can also be added to the type to force it to deserialize from a JSON "
        f"object.\n{place(node.path, node.opened)}"
    )
