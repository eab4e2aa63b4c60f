"""Reports on a page: a card with its chart, its table and what can be taken away of it. Dashboards and the report page use it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import panel as pn

from crm.analytics import Result, run
from crm.analytics.stamps import keep
from crm.charts import finished
from crm.charts.base import shown
from crm.errors import Denied, Missing
from crm.views import kpis
from crm.views.app import href, stack
from crm.views.base import told

#: Charts that are drawn by a part alone, for speed and because they are text.
TEXT = {"number", "table"}
#: A card is as high as the others of its row.
FILLED = ":host{align-self:stretch;height:auto!important}:host>:not(.scroll-button){flex:1 1 auto}"
#: Groups drawn on a card; the report itself has more.
MOST = 12
#: Records that an address can name, and the letters their numbers may take (`crm.expressions` reads no more).
PINNED, LETTERS = 390, 1950
CARD = [":host{border:1px solid var(--line);border-radius:10px;padding:14px 16px;background:var(--raised);min-width:0}"]


def report_card(
    app: Any,
    name: str,
    *,
    where: str | None = None,
    height: int = 240,
    full: bool = False,
    as_of: Any = None,
    title: str = "",
    act: tuple[dict[str, Any], Any] | None = None,
) -> Any:
    """A report as a Panel object: head, chart, and with `full` its table. What the user may not see becomes an empty card, with `title`.

    `act` is one more link of the head and what it does.
    """
    try:
        result = run(app.door, name, where=where, as_of=as_of)
        if name in app.schema.kpis and not full and act is None:
            return pn.Column(kpis.part(app, result), sizing_mode="stretch_width", margin=0, stylesheets=CARD)
    except (Missing, Denied):
        note = app.t("This report shows things your role does not see.")
        head = {"title": title or app.t("Not for you"), "note": note, "links": [act[0]] if act else []}
        return app.part("card_head", head, on={"do": lambda name: act[1]() if act and name == act[0]["name"] else None})
    return pn.Column(*pieces(app, result, height, full, act), sizing_mode="stretch_width", margin=0, stylesheets=CARD)


def pieces(app: Any, result: Result, height: int = 240, full: bool = False, act: tuple[dict[str, Any], Any] | None = None) -> list[Any]:
    """What a card is made of."""
    t, chart = app.t, result.report.chart.name
    head = {
        "title": result.title,
        "note": note(app, result),
        "links": [*links(app, result, full), *([act[0]] if act else [])],
        "href": None if full else href(view="report", name=result.report.name),
    }
    if chart == "number":
        measure = result.report.chart.axes.get("y") or next(iter(result.report.measures), None)
        place = [column.key for column in result.columns].index(measure) if measure else 0
        column = result.columns[place]  # a part as the sentence below says it
        head["value"] = shown(t, column, result.exact[0][place], column.kind == "percent") if result.exact else "–"
    parts: list[Any] = [
        app.part("card_head", head, on={"do": lambda name: act[1]() if act and name == act[0]["name"] else give(app, result, name)})
    ]
    if not result.exact:
        parts.append(app.part("figures", {"title": result.title, "columns": [], "rows": [], "none": t("Nothing to count yet.")}))
        return parts
    if chart not in TEXT:
        parts.append(drawn(app, result, height, None if full else MOST))
    if full or chart == "table":
        parts.append(table(app, result))
    return parts


def note(app: Any, result: Result) -> str:
    """What the report says, for whom and as of when."""
    whom = app.t("For {name}, {when}", name=app.actor.name, when=app.t.datetime(result.as_of))
    return f"{result.says} {whom}" if result.says else str(whom)


def links(app: Any, result: Result, full: bool) -> list[dict]:
    t = app.t
    found = [{"name": "csv", "label": t("Download as CSV"), "glyph": "download"}]
    if result.report.chart.name not in TEXT and full:
        found.append({"name": "png", "label": t("Download as picture"), "glyph": "image"})
    found.append({"name": "ipynb", "label": t("Open in notebook"), "glyph": "code"})
    if not full:
        found.append(
            {"name": "open", "label": t("Open report"), "glyph": "open_in_full", "href": href(view="report", name=result.report.name)}
        )
    return found


def drawn(app: Any, result: Result, height: int, most: int | None = None, opened: Callable[[int], Any] | None = None) -> Any:
    """The chart; a click on a piece of it opens the records behind (`opened` of its row, else their list)."""
    from bokeh.models import ColumnDataSource

    figure = finished.figure(likeness(app, result, height, most), lambda: result.chart(dark=app.dark, height=height, most=most))
    go = opened or (lambda row: open_records(app, result, row))
    for source in figure.select(ColumnDataSource):
        if "row" not in source.data:
            continue

        def clicked(name: str, old: Any, index: list[int], rows: Any = source.data["row"]) -> None:
            if index and int(rows[index[0]]) >= 0:
                pn.state.execute(lambda: go(int(rows[index[0]])), schedule=True)  # the click is still being told

        source.selected.on_change("indices", clicked)
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width", margin=0, theme=None)


def likeness(app: Any, result: Result, height: int, most: int | None) -> str:
    """What is the same exactly when a chart looks the same: its figures and names, how it is drawn, in which words, light and size."""
    chart = result.report.chart
    said: list[Any] = [app.schema.hash, app.language, app.dark, height, most, chart.name, chart.axes, chart.options, result.columns]
    said.append(result.frame.reset_index().to_dict("split"))
    return hashlib.sha256(repr(said).encode()).hexdigest()


def records_at(result: Result, row: int) -> dict[str, Any] | None:
    """The address of what is behind a row: the list of its records, or the one it is about; None where nothing is."""
    if result.opens and (one := result.opens[row]) is not None:
        return {"view": "record", "entity": one[0], "id": str(one[1])}
    if not result.drillable(row):
        return None
    if (found := result.behind_of(row)) is not None:
        said, ids = found.of()
        where, label = pinned(ids, said, result.words)
    else:
        where, label = result.drill(row), ", ".join(result.texts()[row][: len(result.paths) or 1])
    return {"view": "list", "entity": result.drills, "w": where, "wl": label}


def records_href(result: Result, row: int) -> str:
    """The same as text; "" where nothing is behind the row."""
    found = records_at(result, row)
    return href(**found) if found else ""


def open_records(app: Any, result: Result, row: int) -> None:
    if (found := records_at(result, row)) is not None:
        app.go(**found)


def pinned(ids: Sequence[int], label: str, t: Any) -> tuple[str, str]:
    """A condition for records by their numbers, as many as an address can name, and what its chip says."""
    said: list[str] = []
    length = 0
    for one in ids:
        length += len(str(one)) + 2
        if len(said) == PINNED or length > LETTERS:
            label = t("{what} (the first {n} of {all})", what=label, n=len(said), all=len(ids))
            break
        said.append(str(one))
    return f"id in [{', '.join(said)}]" if said else "id == 0", label


def table(app: Any, result: Result) -> Any:
    numbers = {"money", "percent", "number", "integer", "duration"}
    columns = [{"label": column.label, "num": column.kind in numbers} for column in result.columns]
    rows = [{"href": records_href(result, number), "cells": cells} for number, cells in enumerate(result.texts())]
    return app.part("figures", {"title": result.title, "columns": columns, "rows": rows, "none": app.t("Nothing to count yet.")})


def give(app: Any, result: Result, name: str) -> dict:
    """A file of the report: {"file": {name, kind, data: base64}}; what was given away can be had again by its stamp (I7)."""
    keep(app.door, result, name)
    if name == "ipynb":
        from crm.analytics.notebook import file_name, notebook_of

        asked = {"where": result.wanted, "as_of": result.asked, "period": result.period, "stamp": result.stamp, "shown": result.as_of}
        if result.choices:
            asked |= {key: value for key, value in asdict(result.choices).items() if value}
        made = notebook_of(app.door, "report", result.report.name, **asked)
        return {
            "file": {
                "name": file_name("report", result.report.name),
                "kind": "application/x-ipynb+json",
                "data": base64.b64encode(made).decode(),
            }
        }
    data, kind = (result.png(), "image/png") if name == "png" else (as_csv(result), "text/csv")
    return {"file": {"name": f"{result.report.name}.{name}", "kind": kind, "data": base64.b64encode(data).decode()}}


def as_csv(result: Result) -> bytes:
    """The rows with their exact values; text that a spreadsheet would run as a formula is quoted."""
    from crm.intake.export import safe_cell

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.label for column in result.columns])
    writer.writerows(
        [
            safe_cell(value) if isinstance(value, str) and column.role == "dimension" else value
            for value, column in zip(row, result.columns, strict=True)
        ]
        for row in result.rows
    )
    return ("\ufeff" + text.getvalue()).encode()


def awaited(app: Any, title: str, make: Callable[[], Any], height: int = 300) -> Any:
    """The place of a card that is made when it is seen; without a browser it is made at once."""
    place = pn.Column(sizing_mode="stretch_width", margin=0, stylesheets=[FILLED])

    def fill() -> None:
        try:
            made = make()
        except Exception as exc:  # one card that fails does not take the others with it
            made = app.part("card_head", {"title": title, "note": told(exc, app.t)["error"]})
        place[:] = [made]

    if pn.state.curdoc is None or pn.state.curdoc.session_context is None:
        fill()
    else:
        place.stylesheets = [FILLED, *(CARD if title else [])]
        place[:] = [app.part("seen", {"title": title, "height": height}, on={"seen": shown_once(place, fill)})]
    return place


def shown_once(place: Any, fill: Callable[[], None]) -> Callable[[], None]:
    """Fills a place, whose frame goes when its card brings its own."""

    def run() -> None:
        with pn.io.hold():
            place.stylesheets = [FILLED]
            fill()

    return run


def room(app: Any, report: Any) -> int:
    """The height, in pixels, that a card of a report will have, as far as one can tell."""
    return 80 if report.chart.name == "number" else 150 if report.chart.name == "trend" or report.name in app.schema.kpis else 300


def dashboard_grid(app: Any, rows: list[list[Any]], widths: list[list[int]]) -> Any:
    """Cards in a grid of twelve columns, one under the other on a phone."""
    children = []
    for row, spans in zip(rows, widths, strict=True):
        for card, span in zip(row, spans, strict=True):
            card.styles = {**card.styles, "grid-column": f"span {span}"}
            children.append(card)
    css = (
        ":host{display:grid!important;grid-template-columns:repeat(12,minmax(0,1fr));gap:16px;align-items:stretch}"
        "@media(max-width:1000px){:host{display:flex!important;flex-direction:column}:host>*{width:100%!important}}"
    )
    return pn.Column(*children, stylesheets=[css], sizing_mode="stretch_width", margin=0)


__all__ = ["dashboard_grid", "open_records", "pieces", "report_card", "stack"]
