"""The Report: theory and lab side by side, as plain data."""

from rnnshape.report.assembling import assemble
from rnnshape.report.error import Error
from rnnshape.report.report import Report

__all__ = ["Error", "Report", "assemble"]
