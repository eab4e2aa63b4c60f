"""The configuration: `check`, `schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm.cli.base import Ended, app, fail, out, run


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
