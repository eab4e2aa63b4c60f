"""Figures: `report`, `reports`; and how a pipeline works: `process`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from crm.cli.base import Ended, app, as_json, check_place, choice_of, fail, moment, note, out, run, table


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="NAME")] = "",
    format: Annotated[str, typer.Option("--format", help="json, csv, png or html.")] = "",
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="T")] = None,
    where: Annotated[str | None, typer.Option("--where", metavar="EXPR")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DAY", help="The first day, of a report of a period.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DAY", help="The last day (default: today).")] = None,
    again: Annotated[str | None, typer.Option("--again", metavar="STAMP", help="The report kept under this stamp, computed anew.")] = None,
    pack: Annotated[str | None, typer.Option("--pack", metavar="NAME", help="A meeting pack: as text, or --out FILE.pdf, FILE.html.")] = None,
    target: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="A file for it (png and html: NAME.png here).")] = None,
) -> None:
    """A report of the configuration: a table, or --format json, csv, png, html; or a whole meeting pack.

    Each carries a stamp over configuration, parameters, user and moment. With --again STAMP it is computed anew, with the configuration
    and the rights of then over the data of then, and compared: `same` in JSON; else `differences`, each {row, column, then, now}, and
    `why`. The exit code is 0 only when every figure is the same.
    """
    from crm import analytics
    from crm.analytics import kpis
    from crm.analytics.stamps import keep

    if format not in ("", "json", "csv", "png", "html"):
        fail(f"There is no format {format}. There are: json, csv, png, html.")
    if sum((bool(name), again is not None, pack is not None)) != 1:
        fail("Say which report: crm report NAME, crm report --again STAMP or crm report --pack NAME. `crm reports` lists them.")
    if pack is not None:
        return meeting_pack(pack, as_of, target)
    if again is not None:
        return once_more(again, format, target)
    door = run.door()
    if name not in (there := [*analytics.names(door), *kpis.names(door)]):
        fail(f"There is no report called {name}.{choice_of(name, there)}")
    result = analytics.run(
        door, name, where=where, as_of=moment(as_of) if as_of is not None else None, period=days(since, until)
    )  # fmt: skip
    keep(door, result, format or "report")
    give(result, format, target, report_document(result))


def days(since: str | None, until: str | None) -> tuple[date, date] | None:
    """A period as typed: its first day and the day after its last; None where none is asked for."""
    if since is None:
        if until is not None:
            fail("--until goes with --since.")
        return None
    from datetime import timedelta

    last = moment(until or "today").date()
    first = moment(since).date()
    if last < first:
        fail("--until lies before --since.")
    return first, last + timedelta(days=1)


def meeting_pack(name: str, as_of: str | None, target: Path | None) -> None:
    """`crm report --pack NAME`: the pack as text or JSON, or as a file that is called .pdf or .html."""
    from crm import documents
    from crm.documents.html import html, text
    from crm.documents.pdf import pdf

    door = run.door()
    if target is not None:
        if target.suffix not in (".pdf", ".html"):
            fail(f"A pack is written as .pdf or .html, not as {target.suffix or target.name}.")
        check_place(target)
    if name not in (there := documents.names(door)):
        fail(f"There is no pack called {name}.{choice_of(name, there)}")
    made = documents.make(door, name, moment(as_of) if as_of is not None else None)
    if target is None:
        return out(made.json(), text(made))
    target.write_bytes(pdf(made) if target.suffix == ".pdf" else html(made).encode())
    stamps = {one.result.report.name: one.result.stamp for one in made.sections if one.result}
    out({"pack": name, "path": str(target), "stamps": stamps}, str(target))


def once_more(mark: str, format: str, target: Path | None) -> None:
    """`crm report --again STAMP`: the same report anew, and whether its figures are those of then."""
    from crm.analytics.stamps import again

    company = run.company()
    found = again(company, mark.strip().lower(), run.door() if run.user else None)
    give(found.result, format, target, {**report_document(found.result), **found.comparison()})
    for line in found.lines(company.words()):
        note(line)
    if not found.same:
        raise Ended(1)


def give(result: Any, format: str, target: Path | None, document: dict[str, Any]) -> None:
    """A computed report in the form asked for: to the screen or to a file."""
    name = result.report.name
    if format in ("png", "html"):
        path = target or Path(f"{name}.{format}")
        check_place(path)
        draw(result, path, format)
        out({**document, "path": str(path)} if "same" in document else {"report": name, "path": str(path), "stamp": result.stamp}, str(path))
    elif target is not None and format in ("csv", "json"):
        check_place(target)
        text = csv_text(result) if format == "csv" else as_json(document)
        target.write_text(text, encoding="utf-8")
        out({"report": name, "path": str(target), "stamp": result.stamp}, str(target))
    elif run.json or format == "json":
        run.json = True
        out(document)
    elif format == "csv":
        sys.stdout.write(csv_text(result))
    else:
        right = [n for n, column in enumerate(result.columns) if column.role == "measure"]
        table([column.label for column in result.columns], result.texts(), title=result.title, right=right)
        if result.says:
            print(result.says)
        print(f"As of {result.as_of:%Y-%m-%d %H:%M} UTC · {result.stamp}")


@app.command()
def process(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE")],
    target: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="The file (PIPELINE.svg here).")] = None,
) -> None:
    """The process map of a pipeline, drawn from the configuration, as an SVG file."""
    from crm.schema import load
    from crm.views.processmap import ProcessMap

    schema = load(run.folder)
    if pipeline not in schema.pipelines:
        fail(f"There is no pipeline called {pipeline}.{choice_of(pipeline, list(schema.pipelines))}")
    path = target or Path(f"{pipeline}.svg")
    check_place(path)
    path.write_text(ProcessMap(schema, pipeline).svg(), encoding="utf-8")
    out({"pipeline": pipeline, "path": str(path)}, str(path))


def report_document(result: Any) -> dict[str, Any]:
    """A report as JSON: `columns` are keys, `about` says more of each."""
    document = result.json()
    return {**document, "columns": [column["key"] for column in document["columns"]], "about": document["columns"]}


def csv_text(result: Any) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in result.columns])
    writer.writerows(result.rows)
    return text.getvalue()


def draw(result: Any, path: Path, format: str) -> None:
    """A report's chart as a picture or a page of its own."""
    import holoviews as hv

    from crm.charts.base import ready

    backend = "matplotlib" if format == "png" else "bokeh"
    ready(backend)
    chart = result.chart(backend=backend)
    hv.save(chart, str(path), fmt=format, backend=backend, **({"resources": "inline"} if format == "html" else {}))


@app.command()
def reports() -> None:
    """The names of all reports and KPIs."""
    from crm.schema import load

    schema = load(run.folder)
    found = {**schema.reports, **{name: one.report for name, one in schema.kpis.items()}}
    names = list(found)
    document = {"reports": names, "details": [{"name": n, "label": r.label, "entity": r.entity} for n, r in found.items()]}
    out(document, lambda: table(("Report", "Title"), [(name, one.label) for name, one in found.items()]))
