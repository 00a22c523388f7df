"""The service's resources as attrs classes with the service's own member names."""

from srs_vsphere.models.about import About
from srs_vsphere.models.error_details import ErrorDetails
from srs_vsphere.models.runspace import Runspace, RunspaceState

__all__ = ["About", "ErrorDetails", "Runspace", "RunspaceState"]
