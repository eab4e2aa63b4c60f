"""The store's care: `backup`, `restore`, `verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crm.cli.base import Ended, app, fail, out, run


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
