"""One call of an operation, from its first attempt to its last, and the facts for its errors."""

from __future__ import annotations

from typing import Unpack

from attrs import define, field

from srs_vsphere._service.operations import Operation
from srs_vsphere.errors import Facts
from srs_vsphere.retry import RetryPolicy


@define(eq=False)
class Call:
    """An operation on its way to the service.

    Args:
        operation: what is called.
        path: its path with the resource's id filled in, and a query if it takes one.
        host: host and port of the service, as errors name it.
        deadline: seconds on the client's clock at which it must have ended.
        seconds: how long it may take in all.
        body: JSON to send, if the operation takes a body; left out of ``repr()``, as scripts hold secrets.
        attempts: how often it was tried so far.
        status: HTTP status of the last response, or None.
        policy: when it is tried again.
    """

    operation: Operation
    path: str
    host: str
    deadline: float
    seconds: float
    body: bytes | None = field(default=None, repr=False)
    attempts: int = 0
    policy: RetryPolicy = field(factory=RetryPolicy)
    status: int | None = None

    def facts(self, **more: Unpack[Facts]) -> Facts:
        """Return the facts that an error of this call carries.

        Args:
            **more: facts to add, such as the HTTP status.
        """
        return {"operation": self.operation.name, "host": self.host, "attempts": self.attempts, **more}
