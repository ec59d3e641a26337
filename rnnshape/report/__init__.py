"""The Report: theory and lab side by side, as plain data."""

from rnnshape.report.report import Error, Report, assemble

__all__ = ["Error", "Report", "assemble"]
