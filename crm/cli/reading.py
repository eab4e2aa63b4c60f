"""Reading records: `find`, `show`, `history`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from crm.cli.base import app, entity_named, moment, out, plain, run, table


@app.command()
def find(
    text: Annotated[list[str], typer.Argument(metavar="TEXT")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 30,
) -> None:
    """Search everything: a fragment of a name, an e-mail, a phone number, a word in a note."""
    hits = run.door().search(" ".join(text), limit=limit)
    rows = [{"entity": hit.entity, "id": hit.id, "title": hit.title, "snippet": hit.snippet} for hit in hits]

    def human() -> None:
        if rows:
            table(("Entity", "Id", "Title", "Found in"), [tuple(row.values()) for row in rows], right=[1])
        else:
            print("Nothing found.")

    out({"hits": rows}, human)


@app.command()
def show(
    entity: Annotated[str, typer.Argument(metavar="ENTITY")],
    number: Annotated[int, typer.Argument(metavar="ID")],
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="T", help="As it was then (a date, or a moment in ISO 8601).")] = None,
) -> None:
    """One record, now or as it was at any moment."""
    door = run.door()
    entity = entity_named(door.schema, entity)
    record = door.get(entity, number, as_of=moment(as_of)) if as_of is not None else door.get(entity, number)
    from crm.intake.export import record_json

    document = record_json(door, record)

    def human() -> None:
        fields = door.schema.entities[entity].fields
        print(record.title)
        filled = [key for key in document if document[key] not in (None, "", []) and key != "id"]
        table(("", ""), [(fields[key].label, value_text(door, fields[key], record.get(key))) for key in filled])

    out(document, human)


def value_text(door: Any, field: Any, value: Any) -> str:
    """A value as a user reads it."""
    try:
        return str(field.display(value, door.shown)) if field is not None and value is not None else str(plain(value))
    except Exception:
        return str(plain(value))


@app.command()
def history(
    entity: Annotated[str, typer.Argument(metavar="ENTITY")],
    number: Annotated[int, typer.Argument(metavar="ID")],
) -> None:
    """Who changed what of a record, when, from what, to what."""
    door = run.door()
    entity = entity_named(door.schema, entity)
    changes = door.history(entity, number)
    keys = ("seq", "step", "at", "who", "act", "field", "label", "old", "new")
    rows = [{key: plain(getattr(change, key, None)) for key in keys} for change in changes]

    def human() -> None:
        lines = [
            (row["at"], row["who"], row["act"], row["label"] or row["field"] or "", row["old"], row["new"], row["step"]) for row in rows
        ]
        table(("When", "Who", "Did", "Field", "From", "To", "Step"), lines)

    out({"entity": entity, "id": number, "changes": rows}, human)
