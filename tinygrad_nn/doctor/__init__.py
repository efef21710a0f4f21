"""The doctor: says why a network does not learn, where, by which evidence, and what to do."""

from tinygrad_nn.doctor import causes as causes
from tinygrad_nn.doctor.findings import CAUSES, DoctorError, Finding, Report, raise_on
from tinygrad_nn.doctor.once import check
from tinygrad_nn.doctor.watch import watch

__all__ = ["CAUSES", "DoctorError", "Finding", "Report", "check", "raise_on", "watch"]
