"""Runs the cells of a notebook in this process, as a kernel would: the last expression of a cell is shown. A kernel of its own takes seconds."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat


def cells(source: bytes | Path) -> list[str]:
    """The code of a notebook, checked against the notebook format."""
    text = source.read_text("utf-8") if isinstance(source, Path) else source.decode()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def executed(source: bytes | Path, **names: Any) -> dict[str, Any]:
    """The names a notebook ends with; `_shown` lists what its cells showed: (value, {mime type: text})."""
    space: dict[str, Any] = {"__name__": "__main__", "_shown": [], **names}
    for number, code in enumerate(cells(source), 1):
        tree = ast.parse(code, f"cell {number}")
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {number}", "exec"), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), space)
            space["_shown"].append((value, shown(value)))
    return space


def shown(value: Any) -> dict[str, str]:
    """What a notebook would show of a value."""
    bundle = getattr(value, "_repr_mimebundle_", None)
    if bundle is not None:
        found = bundle(None, None)
        if made := dict(found[0] if isinstance(found, tuple) else found or {}):
            return made
    html = getattr(value, "_repr_html_", None)
    return {"text/plain": repr(value), **({"text/html": html()} if html is not None else {})}
