"""Beginning and running: `init`, `demo`, `serve`, `worker`; and the options all commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from crm.cli.base import app, choice_of, fail, listed_users, moment, note, out, progress, run

SIZES = ("small", "medium", "large")


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
