"""A table: every figure as it is."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Table(Chart):
    """All columns of the frame as text in the user's language, a row a group."""

    name = "table"
    axes: ClassVar[dict[str, str]] = {}

    def draw(self, frame: pd.DataFrame, look: Look, **options: Any) -> Any:
        import holoviews as hv

        data = pd.DataFrame({look.label(key): [look.text(key, value) for value in frame[key]] for key in frame.columns})
        table = hv.Table(data, kdims=list(data.columns), vdims=[])
        return table.opts(backend=look.backend, width=640, height=min(400, 28 * len(data) + 40)) if look.backend == "bokeh" else table
