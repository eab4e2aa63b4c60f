"""The command line: `crm demo`, `crm serve`, `crm import` … (DESIGN 7).

`--config`, `--data`, `--json` and `--as` may stand anywhere. With `--json` exactly one JSON document goes to stdout; progress and
logs go to stderr. The exit code is 0 only when it worked: 1 when it did not, 2 when the command itself was written wrongly. What goes
wrong is said in plain lines on stderr, never as a traceback (`CRM_DEBUG=1` shows it), and with `--json` also as
`{"error": text}` on stdout. Entities may be named as people write them (`Account`, `price list`). Everything heavy is imported by the command that needs it, so that the others start quickly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from crm.errors import ConfigError, Conflict, RecordError, Refused, Said

if TYPE_CHECKING:
    from crm.records import Door

app = typer.Typer(
    name="crm",
    help="A CRM described in YAML. Start with: crm demo, then crm serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
users = typer.Typer(help="Who may sign in.", no_args_is_help=True)
app.add_typer(users, name="user")

GLOBAL = {"--config": True, "--data": True, "--json": False, "--as": True}  # option → takes a value
SIZES = ("small", "medium", "large")
# The base of all errors of usage; typer has carried click's classes both as its own and as click's.
UsageError: Any = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")


class Ended(Exception):
    """Ends a command with an exit code after it has said everything."""

    def __init__(self, code: int) -> None:
        self.code = code


class Run:
    """What the common options say, and the company opened when first asked for."""

    config: str | None = None
    data: str | None = None
    json: bool = False
    user: str | None = None
    _company: Any = None

    @property
    def folder(self) -> Path:
        from crm.client import config_folder

        return config_folder(self.config)

    @property
    def url(self) -> str:
        from crm.client import data_url

        return data_url(self.data)

    def company(self, create: bool = False) -> Any:
        """The company; without `create` a store that does not exist is refused rather than made."""
        if self._company is None:
            from crm.client import open_company

            self._company = open_company(self.config, self.data, create=create)
        return self._company

    def door(self, user: str | None = None) -> Door:
        """The door of the user named by `--as`, else the engine's own."""
        from crm.records import SYSTEM

        company = self.company()
        name = user or self.user
        return company.door(somebody(company, name, active=True) if name else SYSTEM)

    def store(self) -> Any:
        from crm.stores import open_store

        if "://" not in self.url and not Path(self.url).exists():
            raise Refused("There is no data at {name} yet. `crm demo` fills it with an example, `crm import` with your own.", name=self.url)
        return open_store(self.url)

    def close(self) -> None:
        if self._company is not None:
            self._company.store.close()
            self._company = None


run = Run()


# ---- saying things -----------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as JSON: money and other decimals as decimal text, dates in ISO 8601."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(one) for one in value)
    if isinstance(value, Iterable):
        return [plain(one) for one in value]
    return str(value)


def out(document: Any, human: Callable[[], None] | str | None = None) -> None:
    """The answer: as JSON with `--json`, else as `human` says it (nothing for None)."""
    if run.json:
        sys.stdout.write(as_json(document))
    elif callable(human):
        human()
    elif human:
        print(human)


def as_json(document: Any) -> str:
    import json

    return json.dumps(plain(document), ensure_ascii=False, indent=2) + "\n"


def note(text: str) -> None:
    """A word on the way, on stderr."""
    print(text, file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "", right: Iterable[int] = ()) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for number, column in enumerate(columns):
        grid.add_column(column, justify="right" if number in set(right) else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False).print(grid)


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None] | None]:
    """A bar on stderr, where somebody is looking: a function that is told the share done (0 to 1) and what is being done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)

        def tell(done: float, what: str | float = "") -> None:
            share = done / what if isinstance(what, (int, float)) and what else done
            bar.update(task, completed=min(1.0, share), description=what if isinstance(what, str) and what else title)

        yield tell


def fail(text: str, **more: Any) -> NoReturn:
    """End with exit code 1 and a plain line on stderr (and a JSON document with `--json`)."""
    note(text)
    out({"error": text, **more})
    raise Ended(1)


def entity_named(schema: Any, text: str) -> str:
    """The key of an entity named by its key or its label, in any case: `Account`, `accounts`, `price-list`. Ends the command for others."""
    if text in schema.entities:
        return text
    plain_text = text.strip().casefold().replace("-", " ").replace("_", " ")
    for key, one in schema.entities.items():
        if plain_text in {name.casefold() for name in (key.replace("_", " "), one.label, one.plural) if name}:
            return str(key)
    fail(f"There is nothing called {text}.{choice_of(text, schema.entities)}")


def choice_of(text: str, names: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or all there are."""
    from crm.schema.faults import meant

    there = [str(name) for name in names]
    return meant(text, there) or f" There are: {', '.join(there) or 'none'}."


def somebody(company: Any, name: str, active: bool = False) -> Any:
    """The user of a sign-in name or number; ends the command when there is none (or, with `active`, when he may not sign in)."""
    from crm.errors import Missing

    keys = company.schema.users
    try:
        actor = company.people.actor(int(name) if name.isdigit() else name)
    except Missing:
        logins = [str(doc[keys.login]) for doc in company.store.table(keys.entity).all() if doc.get(keys.login) and not doc.get("deleted_on")]
        fail(f"There is no user {name}.{choice_of(name, sorted(logins))}")
    return company.actor(actor.id) if active else actor


# ---- starting ----------------------------------------------------------------------------------------------------------------


def version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as installed

        print(f"crm {installed('crm')}")
        raise typer.Exit


@app.callback()
def common(
    config: Annotated[str | None, typer.Option("--config", metavar="DIR", help="Configuration folder (default config/sales).")] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="The store (default var/crm.db).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    user: Annotated[str | None, typer.Option("--as", metavar="USER", help="With this user's rights (default: the engine's own).")] = None,
    asked: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Which version this is.")] = False,
) -> None:
    run.config, run.data, run.json, run.user = config, data, as_json, user


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    base: Annotated[str, typer.Option("--from", metavar="NAME", help="The shipped configuration to build on.")] = "sales",
) -> None:
    """Start a company's own configuration: a few lines that extend a shipped one."""
    from crm.schema import shipped_names, write_json_schema

    if base not in shipped_names():
        fail(f"There is no shipped configuration called {base}. There are: {', '.join(shipped_names())}.")
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        fail(f"{folder} exists already and is not empty.")
    title = folder.resolve().name.replace("_", " ").replace("-", " ").strip().title() or "CRM"
    title = "".join(c for c in title if c.isprintable() and c not in "\"'\\")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crm.yaml").write_text(START.format(base=base, title=title), encoding="utf-8")
    files = [str(folder / "crm.yaml")]
    files += [str(path) for path in write_json_schema(folder / ".schema")]
    out(
        {"folder": str(folder), "extends": base, "files": files},
        f"{folder} is ready. Try: crm --config {folder} demo; crm --config {folder} serve",
    )


START = """# yaml-language-server: $schema=.schema/crm.json
# This company's own CRM. What is not said here comes from the shipped configuration below; a file of the same
# name in this folder (entities/…, pipelines/…, roles/…) is laid over the shipped one, key by key.
extends: {base}
title: "{title}"
"""


@app.command()
def demo(
    size: Annotated[str, typer.Option("--size", help="small, medium or large.")] = "small",
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same company.")] = None,
) -> None:
    """Fill an empty store with a believable company: three years of history with real dates in it."""
    if size not in SIZES:
        fail(f"There is no size {size}. There are: {', '.join(SIZES)}.")
    company = run.company(create=True)
    made = fill(company, size, seed)
    people = listed_users(company)

    def human() -> None:
        print(", ".join(f"{count} {name}" for name, count in made.items()))
        print("Sign-ins (the password is the name in front):")
        for one in people:
            print(f"  {one['name']:<12} {one['role']}")

    out({"created": made, "users": people, "size": size}, human)


def fill(company: Any, size: str = "small", seed: int | None = None) -> dict[str, int]:
    """Make the demo's records and give each of its users the password that is his name; how many records of what."""
    from crm.intake import demo as intake

    users = company.schema.users
    if not empty(company):
        fail("The store is not empty; the demo fills an empty one only. Another place: --data PATH.")
    note("Making the demo company …")
    with progress("Demo") as told_share:
        made = intake.fill(company, size=size, seed=seed, progress=told_share)
    from crm.server.passwords import Passwords

    passwords = Passwords(company.store)
    for doc in company.store.table(users.entity).all():
        if doc.get(users.login) and not doc.get("deleted_on"):
            passwords.set(doc.doc_id, str(doc[users.login]), demo=True)
    return {name: count for name, count in made.items() if count}


def empty(company: Any) -> bool:
    """Whether no entity has a record yet."""
    return not any(company.store.table(name).count() for name in company.schema.entities)


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Where to listen; only this machine by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 5006,
    processes: Annotated[int, typer.Option("--processes", min=1, max=64)] = 1,
    allow: Annotated[list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A name this server is reached by.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty store with the demo company first.")] = False,
    size: Annotated[str, typer.Option("--size", help="Of the demo: small, medium or large.")] = "small",
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Start the background work, too.")] = True,
) -> None:
    """Serve the app; prints the address and, on a demo, the sign-ins."""
    if demo:
        company = run.company(create=True)
        if empty(company):
            fill(company, size)
        run.close()
    from crm.server import serve as start

    start(run.folder, run.url, host=host, port=port, processes=processes, names=allow, worker=with_worker)


def would(name: str, since: str | None) -> None:
    """What an automation would have done over the history of the store."""
    from crm.records.trial import trial

    company = run.company()
    if name not in company.schema.automations:
        fail(f"There is no automation {name}.{choice_of(name, company.schema.automations)}")
    found = trial(company, name, moment(since) if since else None)
    door = run.door()
    hits = [{"entity": one.entity, "id": one.id, "at": one.at, "title": door.title(one.entity, one.id)} for one in found.hits]
    said = {"automation": found.automation, "since": found.since, "fired": found.count, "records": found.records, "hits": hits}

    def human() -> None:
        print(f"{found.automation} would have fired {found.count} times on {found.records} records since {found.since:%Y-%m-%d}.")
        for hit in hits:
            print(f"  {hit['at']:%Y-%m-%d %H:%M}  {hit['entity']} {hit['id']}  {hit['title'] or '(deleted)'}")
        if found.count > len(hits):
            print(f"  … and {found.count - len(hits)} more.")

    out(said, human)


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
    dry_run: Annotated[str | None, typer.Option("--dry-run", metavar="AUTOMATION", help="Only say what it would have done so far.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="With --dry-run: from this day on.")] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Do the background work: automations by date, reminders, mail and webhooks. Of many started, one works."""
    if dry_run is not None:
        return would(dry_run, since)
    from crm.worker.run import work

    ran = work(run.company(), once, with_parent)
    if once:
        out({"ran": ran}, f"Ran: {', '.join(ran)}." if ran else "Nothing to do, or another worker is at work.")


@app.command()
def check() -> None:
    """Check the configuration: all mistakes of all files at once, each with its place and how to mend it."""
    from crm.schema import check as find_faults
    from crm.schema import is_warning

    found = find_faults(run.folder)
    faults = [fault for fault in found if not is_warning(fault)]
    warnings = [fault for fault in found if is_warning(fault)]

    def human() -> None:
        for fault in warnings[:20]:
            print(fault)
        if len(warnings) > 20:
            print(f"… and {len(warnings) - 20} more warnings; --json lists all of them.")
        for fault in faults:
            print(fault)
        counted = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}" if faults else "no faults"
        print(f"{run.folder}: {counted}" + (f", {len(warnings)} warnings." if warnings else "."))

    out({"faults": [fault.as_dict() for fault in faults], "warnings": [fault.as_dict() for fault in warnings]}, human)
    if faults:
        raise Ended(1)


@app.command()
def schema(
    target: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where they go (default: .schema beside or in the folder).")
    ] = None,
) -> None:
    """Write the JSON Schemas that editors complete and check the YAML with."""
    from crm.schema import json_schema, write_json_schema

    if run.json:
        out(json_schema())
        return
    if not (run.folder / "crm.yaml").is_file():
        fail(f"{run.folder} holds no configuration (no crm.yaml).")
    beside = run.folder.resolve().parent / ".schema"
    written = write_json_schema(target or (beside if beside.is_dir() else run.folder / ".schema"))
    print(f"{len(written)} files in {written[0].parent}")


# ---- data in and out ---------------------------------------------------------------------------------------------------------


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


# ---- reading -----------------------------------------------------------------------------------------------------------------


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


def moment(text: str) -> datetime:
    """A moment as typed: ISO 8601, or a date (its end, so that the day includes itself; also `-30d`, `yesterday` …)."""
    from crm.client import moment_of
    from crm.schema import load

    words = load(run.folder).words()
    text = text.strip()
    return moment_of(text if len(text) > 10 else words.parse_date(text), words.tz)


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


def check_place(path: Path) -> None:
    """Refuse a file whose folder is not there, before any work is done for it."""
    if not path.resolve().parent.is_dir():
        fail(f"There is no folder {path.parent}.")


def draw(result: Any, path: Path, format: str) -> None:
    """A report's chart as a picture or a page of its own."""
    import holoviews as hv

    backend: Any = "matplotlib" if format == "png" else "bokeh"
    hv.extension(backend, logo=False)
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


# ---- people ------------------------------------------------------------------------------------------------------------------


def listed_users(company: Any) -> list[dict[str, Any]]:
    """The users: sign-in name, role, team, full name, and whether they may sign in."""
    from crm.errors import Missing
    from crm.records import SYSTEM
    from crm.server.passwords import Passwords

    keys = company.schema.users
    door = company.door(SYSTEM)
    passwords = Passwords(company.store)
    found = []
    for record in door.list(keys.entity, order=[keys.login], limit=100_000):
        try:
            actor = company.people.actor(record.id)
        except Missing:
            continue
        team = door.titles(company.schema.teams.entity, [actor.team]).get(actor.team) if company.schema.teams and actor.team else None
        one = {"name": actor.login, "role": actor.role, "team": team, "full_name": actor.name, "id": record.id}
        found.append({**one, "active": actor.active, "password": passwords.has(record.id)})
    return found


@users.command("list")
def user_list() -> None:
    """All users with role and team."""
    people = listed_users(run.company())
    columns = ("name", "full_name", "role", "team")
    rows = [tuple(one[key] for key in columns) + ("" if one["active"] and one["password"] else "may not sign in",) for one in people]
    out({"users": people}, lambda: table(("Sign-in", "Name", "Role", "Team", ""), rows))


@users.command("add")
def user_add(
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE")],
    name: Annotated[str | None, typer.Option("--name", help="Full name.")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="Name or id of the team.")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    password: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin; else one is made up and shown.")
    ] = False,
) -> None:
    """Add a user; prints a made-up password once unless one comes on stdin."""
    company = run.company(create=True)
    keys = company.schema.users
    if role not in company.schema.roles:
        fail(f"There is no role {role}.{choice_of(role, company.schema.roles)}")
    secret, made = new_password(login, password)
    values: dict[str, Any] = {keys.login: login, keys.name: name or login, keys.role: role}
    if keys.active:
        values[keys.active] = True
    if email and keys.email:
        values[keys.email] = email
    if team and keys.team:
        values[keys.team] = team_id(company, team)
    record = run.door().create(keys.entity, values)
    from crm.server.passwords import Passwords

    Passwords(company.store).set(record.id, secret)
    document = {"id": record.id, "name": login, "role": role, **({"password": secret} if made else {})}
    out(document, f"{login} can sign in." + (f" Password: {secret}" if made else ""))


def team_id(company: Any, team: str) -> int:
    """The id of a team given by name or id."""
    from crm.records import SYSTEM

    teams = company.schema.teams
    if teams is None:
        fail("This configuration has no teams.")
    if team.isdigit():
        return int(team)
    known = {record.title: record.id for record in company.door(SYSTEM).list(teams.entity, limit=10_000)}
    found = [number for title, number in known.items() if title.casefold() == team.casefold()]
    if not found:
        fail(f"There is no team {team}. There are: {', '.join(sorted(known)) or 'none'}.")
    return found[0]


def new_password(login: str, from_stdin: bool) -> tuple[str, bool]:
    """A password from stdin (its strength checked), or a made-up one; and whether it was made up."""
    import secrets

    from crm.server.passwords import check_strength

    if not from_stdin:
        return secrets.token_urlsafe(12), True
    secret = sys.stdin.readline().rstrip("\r\n")
    check_strength(secret, login)
    return secret, False


def user_id(company: Any, login: str) -> int:
    return int(somebody(company, login).id)


@users.command("disable")
def user_disable(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """End a user's access at once, everywhere; the records stay."""
    company = run.company()
    keys = company.schema.users
    number = user_id(company, login)
    if keys.active:
        run.door().change(keys.entity, number, {keys.active: False})
    from crm.server.passwords import Passwords
    from crm.server.sessions import Sessions

    if not keys.active:
        Passwords(company.store).forget(number)
    ended = Sessions(company.store, lambda _: False).end_all(number)
    out({"id": number, "name": login, "active": False, "sessions_ended": ended}, f"{login} can no longer sign in.")


@users.command("enable")
def user_enable(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """Let a disabled user sign in again."""
    company = run.company()
    keys = company.schema.users
    number = user_id(company, login)
    if keys.active:
        run.door().change(keys.entity, number, {keys.active: True})
    out({"id": number, "name": login, "active": True}, f"{login} can sign in again.")


@users.command("password")
def user_password(
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    password: Annotated[bool, typer.Option("--password-stdin", help="Read it from stdin; else one is made up and shown.")] = False,
) -> None:
    """Give a user a new password and end the present sign-ins."""
    company = run.company()
    number = user_id(company, login)
    secret, made = new_password(login, password)
    from crm.server.passwords import Passwords
    from crm.server.sessions import Sessions

    Passwords(company.store).set(number, secret)
    Sessions(company.store, lambda _: False).end_all(number)
    out({"id": number, "name": login, **({"password": secret} if made else {})}, f"New password: {secret}" if made else "Changed.")


@app.command()
def why(
    user: Annotated[str, typer.Argument(metavar="USER")],
    entity: Annotated[str, typer.Argument(metavar="ENTITY")],
    number: Annotated[int, typer.Argument(metavar="ID")],
    field: Annotated[str | None, typer.Argument(metavar="[FIELD]")] = None,
) -> None:
    """Whether a user may see a record (or a field of it), and why."""
    company = run.company()
    entity = entity_named(company.schema, entity)
    actor = somebody(company, user)
    if actor.active:
        decision = company.door(actor).why(entity, number, field)
        allowed, because = decision.allowed, list(decision.because)
    else:
        allowed, because = False, [f"{actor.name} is switched off and may not sign in."]
    document = {"user": actor.login, "entity": entity, "id": number, "field": field, "allowed": allowed, "because": because}

    def human() -> None:
        print("yes" if allowed else "no")
        for line in because:
            print(f"  {line}")

    out(document, human)


# ---- the store's care --------------------------------------------------------------------------------------------------------


@app.command()
def backup(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Copy the store to a file while others go on working."""
    if "://" not in run.url and file.exists() and Path(run.url).exists() and file.samefile(run.url):
        fail(f"{file} is the store itself. Give the copy another name.")
    store = run.store()
    if file.parent != Path():
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        store.backup(str(file))
    except Exception as error:
        if type(error).__name__ not in ("CantOpenError", "ReadOnlyError"):
            raise
        fail(f"{file} cannot be written.")
    finally:
        store.close()
    out({"backup": str(file), "bytes": file.stat().st_size}, f"{file}: {file.stat().st_size:,} bytes")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace what is there without asking.")] = False,
) -> None:
    """Replace the store's contents by those of a backup, after verifying it."""
    from crm.stores import open_store

    if not file.is_file():
        fail(f"There is no file {file}.")
    there = "://" in run.url or Path(run.url).exists()
    if there and not yes:
        if run.json or not sys.stdin.isatty():
            fail(f"{run.url} holds data already. Add --yes to replace it.")
        if not typer.confirm(f"Replace everything in {run.url} by {file}?"):
            raise Ended(1)
    if "://" not in run.url:
        Path(run.url).parent.mkdir(parents=True, exist_ok=True)
    store = open_store(run.url)
    done = False
    try:
        store.restore(str(file))
        done = True
    finally:
        store.close()
        if not (done or there):  # no empty store is left where there was none
            Path(run.url).unlink(missing_ok=True)
    out({"restored": str(file), "data": run.url}, f"{run.url} is what {file} was.")


@app.command()
def verify(repair: Annotated[bool, typer.Option("--repair", help="Rebuild what can be rebuilt (search, indexes).")] = False) -> None:
    """Check the store: files, documents against their history, indexes."""
    store = run.store()
    try:
        problems = store.verify(repair=repair) if repair else store.verify()
    finally:
        store.close()
    out({"problems": problems}, "\n".join(problems) if problems else f"{run.url}: sound.")
    if problems:
        raise Ended(1)


# ---- main --------------------------------------------------------------------------------------------------------------------


def ordered(arguments: Sequence[str]) -> list[str]:
    """The arguments with the common options in front, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        one = waiting.pop(0)
        if one == "--":
            rest += [one, *waiting]
            break
        name = one.split("=", 1)[0]
        if name in GLOBAL and (one == name or GLOBAL[name]):
            front.append(one)
            if GLOBAL[name] and one == name and waiting:
                front.append(waiting.pop(0))
        else:
            rest.append(one)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command `crm`. Always ends by `SystemExit` with the exit code."""
    global run
    run = Run()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = 1
    try:
        code = attempt(ordered(sys.argv[1:] if arguments is None else arguments))
    finally:
        try:
            run.close()
        except Exception as error:
            note(str(error))
    raise SystemExit(code)


def attempt(arguments: Sequence[str]) -> int:
    """Run one command; what goes wrong becomes words and an exit code."""
    try:
        answer = app(args=list(arguments), prog_name="crm", standalone_mode=False)
        return answer if isinstance(answer, int) else 0
    except Ended as end:
        return end.code
    except typer.Exit as end:
        return int(end.exit_code)
    except UsageError as error:
        error.show(file=sys.stderr)
        if "--json" in arguments:
            run.json = True
            out({"error": error.format_message()})
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        note("Stopped.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("CRM_DEBUG"):
            raise
        return told(error)


def told(error: Exception) -> int:
    """Say what went wrong in plain lines; the exit code."""
    more: dict[str, Any] = {}
    if isinstance(error, ConfigError):
        text = f"The configuration has {len(error.faults)} fault{'s' if len(error.faults) != 1 else ''}:\n{error}"
        more["faults"] = [fault.as_dict() for fault in error.faults]
    elif isinstance(error, RecordError):
        problems = error.say()
        text = "\n".join(f"{key}: {problem}" if key else problem for key, problem in problems.items())
        more["problems"] = problems
    elif isinstance(error, (Said, Conflict)):
        mend = getattr(error, "mend", "") or getattr(error.__cause__, "mend", "")  # of a mistake in an expression
        text = " ".join(part for part in (str(error), mend) if part)
    elif isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    elif isinstance(error, ValueError) and str(error):
        text = str(error)
    elif type(error).__module__.partition(".")[0] == "apsw":
        text = f"{run.url} cannot be used: {error}."
        if type(error).__name__ == "NotADBError":
            text = f"{run.url} is no store of this CRM: {error}."
    elif isinstance(error, ImportError):
        text = f"This needs a part that is not installed: {error}."
    else:
        text = f"This went wrong and should not have: {type(error).__name__}: {error}. CRM_DEBUG=1 shows where."
    note(text)
    out({"error": text, **more})
    return 1


if __name__ == "__main__":
    main()
