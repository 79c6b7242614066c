"""An independent check of certificate files: nothing of the routing engine, only shortest paths and walks."""

from fabric.certificate_check.check import PhaseVerdict, check_certificate
from fabric.certificate_check.read import read_certificate

__all__ = ["PhaseVerdict", "check_certificate", "read_certificate"]
