"""Charts: one file each, drawn with HoloViews from a report's frame. HoloViews is imported when a chart is drawn, not before."""

from crm.charts.base import CHARTS, Chart, Column, Look, ready

__all__ = ["CHARTS", "Chart", "Column", "Look", "ready"]
