"""Figures: reports of the configuration computed through the one door, so that each holds only what its reader may see."""

from crm.analytics.reports import Result, names, run

__all__ = ["Result", "names", "run"]
