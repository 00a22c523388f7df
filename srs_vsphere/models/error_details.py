"""The service's own description of an error."""

from __future__ import annotations

from attrs import field, frozen

from srs_vsphere.models.model import Model


@frozen
class ErrorDetails(Model):
    """Why a runspace, a web console or a request failed.

    Args:
        code: the service's error code, which says more than the HTTP status.
        error_message: what happened, in a sentence.
        details: diagnostic text with a stack trace, left out of ``repr()`` for its length.
    """

    code: int | None = None
    error_message: str | None = None
    details: str | None = field(default=None, repr=False)
