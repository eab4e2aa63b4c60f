"""Data in and out: `import`, `imports`, `undo`, `export`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from crm.cli.base import Ended, app, entity_named, fail, out, plain, progress, run, table


@app.command("import")
def import_(
    entity: Annotated[str, typer.Argument(metavar="ENTITY")],
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    map_: Annotated[
        str | None, typer.Option("--map", metavar="M", help="A saved map (name, folder or file); default: the one called after the file.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, write nothing.")] = False,
    rejects: Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="Where refused rows go, with the reason.")] = None,
) -> None:
    """Import a CSV or Excel file; the whole import is one step that `crm undo` takes back."""
    from crm.intake import importing

    schema = run.company(create=True).schema
    entity = importing.entity_of_map(schema, entity, map_) or entity_named(schema, entity)
    with progress("Importing") as told_share:
        outcome = importing.run(run.door(), entity, file, map=map_, dry_run=dry_run, progress=told_share)
    if rejects is not None and outcome.rejected:
        outcome.write_rejected(rejects)
    document = outcome.as_dict(full=True)

    def human() -> None:
        counts = ("created", "updated", "unchanged", "rejected", "skipped")
        print(
            ("Would be: " if dry_run else "") + ", ".join(f"{document[key]} {key}" for key in counts if document[key] or key != "skipped")
        )
        for one in document["notes"]:
            print(f"  {one['note']}" + (f" (rows {short(one['rows'])})" if one["rows"] else ""))
        for one in document["rows"][:20]:
            print(f"  row {one['row']}, {one['label']}: {' '.join(one['problems'] + one['warnings'])}")
        if len(document["rows"]) > 20:
            print(f"  … and {len(document['rows']) - 20} more rows; --json lists all, --rejects FILE writes those refused")
        if document["step"]:
            print(f"Take it back with: crm undo {document['step']}")

    out(document, human)


def short(numbers: Sequence[int], most: int = 8) -> str:
    """The first of many numbers."""
    return ", ".join(str(one) for one in numbers[:most]) + (", …" if len(numbers) > most else "")


@app.command()
def imports() -> None:
    """The import maps of the configuration."""
    from crm.schema import load

    maps = load(run.folder).imports
    rows = [{"name": name, "entity": one.entity, "file": one.file, "label": one.label} for name, one in maps.items()]
    out({"imports": rows}, lambda: table(("Map", "Entity", "File"), [(r["name"], r["entity"], r["file"]) for r in rows]))


@app.command()
def undo(step: Annotated[int, typer.Argument(metavar="STEP")]) -> None:
    """Take a step back: an import, a bulk edit, any change. What somebody worked on since stays, and is told."""
    result = run.door().undo(step)
    document = {"step": step, "done": plain(result.done), "conflicts": plain(result.conflicts), "sent": result.sent}
    done = result.done if isinstance(result.done, int) else len(result.done)

    def human() -> None:
        print(f"{done} taken back.")
        for conflict in document["conflicts"]:
            print(f"  stays as it is: {conflict}")
        if result.sent:
            print(f"  sent already, and stays sent: {result.sent}")

    out(document, human)
    if result.conflicts:
        raise Ended(1)


@app.command()
def export(
    entity: Annotated[str, typer.Argument(metavar="ENTITY|all")],
    format: Annotated[str, typer.Option("--format", help="csv, xlsx, parquet or json.")] = "csv",
    target: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="A file (for all: a folder).")] = None,
    where: Annotated[str | None, typer.Option("--where", metavar="EXPR")] = None,
) -> None:
    """Export an entity, or everything the user may see: csv and json to the screen, or to --out; `all` to a folder, a file each."""
    from crm.intake import export as exporting

    if format not in exporting.FORMATS:
        fail(f"There is no format {format}. There are: {', '.join(exporting.FORMATS)}.")
    door = run.door()
    if entity == "all":
        if format == "json" and target is None:
            run.json = True
            out({name: exporting.records(door, name) for name in door.schema.entities if door.may("export", name)})
            return
        if where:
            fail("--where goes with one entity.")
        folder = target or Path("export")
        counts = exporting.export_all(door, folder, format)
        written = {name: {"path": str(folder / f"{name}.{format}"), "records": count} for name, count in counts.items()}
        out({"exported": written}, lambda: table(("Entity", "Records", "File"), [(n, w["records"], w["path"]) for n, w in written.items()]))
        return
    entity = entity_named(door.schema, entity)
    if target is None:
        if format not in ("csv", "json"):
            fail(f"{format} needs a file: --out PATH.")
        if format == "csv" and not run.json:
            sys.stdout.write(exporting.csv_bytes(door, entity, where=where).decode("utf-8-sig"))
        else:
            run.json = True
            out(exporting.records(door, entity, where=where))
        return
    count = exporting.export(door, entity, target, format, where=where)
    out({"exported": {entity: {"path": str(target), "records": count}}}, f"{count} in {target}")
