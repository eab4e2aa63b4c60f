"""A notebook that makes a card of the app again (I11): the report, list, dashboard, forecast or scenario with the very parameters shown.

    notebook_of(door, "report", "win_rate", where="amount > 1000", as_of=result.asked, shown=result.as_of, stamp=result.stamp)  → the bytes
    notebook_of(door, "list", "opportunity", v="mine", f="stage:is:offer", q="acme", sort="-amount")          # the list's address
    notebook_of(door, "dashboard", "manager")
    notebook_of(door, "forecast", "sales", as_of=…, where=…, by="owner")
    notebook_of(door, "whatif", "sales", levers={"win_rate": 1.1}, runs=10_000, seed=0, label="More reps")

Values reach the cells as Python literals only, so nothing of them is ever run as code. The notebook opens the company as the user who took
it, and whoever runs it needs the store: it holds neither figures nor passwords, and of the machine no more than where configuration and
data lie below the working folder (else `CRM_CONFIG` and `CRM_DATA` say it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm.errors import Missing

if TYPE_CHECKING:
    from crm.records import Door

#: What the address of a list may carry, see `crm.views.listing`.
ADDRESS = {"v": "view", "f": "filters", "w": "where", "q": "find", "sort": "order", "pipeline": "pipeline"}
MARKS = re.compile(r"([\\`*_\[\]#|~$])")


def notebook_of(door: Door, kind: str, name: str = "", **params: Any) -> bytes:
    """The notebook (.ipynb) of one card, for the user of `door`; `Missing` for what is not there or not for this user. Its file: `file_name`."""
    make = {"report": _report, "list": _list, "dashboard": _dashboard, "forecast": _forecast, "whatif": _whatif}.get(kind)
    if make is None:
        raise Missing("There is no such page.")
    return _written(door, make(door, name, {key: value for key, value in params.items() if value not in (None, "", {})}))


def file_name(kind: str, name: str) -> str:
    """`report-win_rate.ipynb`: letters, digits and dashes only, whatever the card is called."""
    return re.sub(r"[^\w]+", "-", f"{kind}-{name}").strip("-") + ".ipynb"


Cell = tuple[str, str]  # "code" or "markdown", and the text


def _report(door: Door, name: str, params: dict[str, Any]) -> list[Cell]:
    from crm.analytics.reports import report_for

    t, report = door.words, report_for(door, name)
    stamp = params.pop("stamp", None)
    label = params.pop("label", None) or report.label_in(t)
    cells = [("markdown", _head(label, report.help_in(t), stamp and t("Stamp of the figures: {stamp}", stamp=stamp)))]
    given = _said(params, "where", "as_of", "period", "compare", "by", "measure")
    then = "" if "as_of" in given or not params.get("shown") else f"  # as it was shown: as_of={_literal(params['shown'])}"
    cells.append(("code", f"report = {_call('c.report', name, **given)}{then}\nreport"))
    return [*cells, ("code", "report.frame")]


def _list(door: Door, name: str, params: dict[str, Any]) -> list[Cell]:
    if name not in door.schema.entities or not door.may("see", name):
        raise Missing("This is not there, or not for you.")
    entity, t = door.schema.entities[name], door.words
    asked = {word: params[key] for key, word in ADDRESS.items() if params.get(key)}
    asked |= _said(params, "as_of")
    cells = [("markdown", _head(params.get("label") or entity.plural_in(t), entity.help_in(t)))]
    cells.append(("code", f"records = {_call(f'c.{name}.frame', **asked)}\nrecords"))
    shown = {key: value for key, value in params.items() if key in ADDRESS}
    return [*cells, ("markdown", t("The list as in the app, alive:")), ("code", _call("c.view", "list", name, **shown))]


def _dashboard(door: Door, name: str, params: dict[str, Any]) -> list[Cell]:
    from crm.analytics.own import is_for
    from crm.analytics.reports import names

    board, t = door.schema.dashboards.get(name), door.words
    if board is None or not is_for(door, board):
        raise Missing("There is no such page")
    cells = [("markdown", _head(board.label_in(t), board.help_in(t)))]
    open_reports = set(names(door))
    for card in [card for row in board.rows for card in row]:
        if card.kind in ("report", "kpi") and card.name in open_reports:
            cells.append(("code", _call("c.report", card.name, **_said(params, "as_of"))))
        elif card.kind == "list" and door.may("see", card.name):
            where = getattr(card.where, "text", card.where)
            asked = {key: value for key, value in (("view", card.view), ("where", where), ("limit", card.limit)) if value}
            cells.append(("code", _call(f"c.{card.name}.frame", **asked, **_said(params, "as_of"))))
        elif card.kind == "board":
            cells.append(("code", _call("c.view", "board", card.name)))
    return cells


def _forecast(door: Door, name: str, params: dict[str, Any]) -> list[Cell]:
    t = door.words
    given = _said(params, "as_of", "where", "by")
    cells = [
        ("markdown", _head(params.get("label") or t("Forecast"), t("What is expected, beside what simulation says, and its own record.")))
    ]
    cells.append(("code", f"forecast = {_call('c.forecast', *([name] if name else []), **given)}\nforecast"))
    cells.append(("code", "forecast.frame"))
    return [*cells, ("code", f"record = {_call('c.backtest', *([name] if name else []))}\nrecord")]


def _whatif(door: Door, name: str, params: dict[str, Any]) -> list[Cell]:
    t = door.words
    levers = {str(key): value for key, value in dict(params.get("levers") or {}).items()}
    given = _said(params, "runs", "seed", "as_of")
    first = [name] if name else []
    cells = [
        ("markdown", _head(params.get("label") or t("What if"), t("The simulated pipeline with other levers, beside things as they are.")))
    ]
    cells.append(
        ("code", f"levers = {_literal(levers)}\nscenario = {_call('c.simulate', *first, levers=Code('levers'), **given)}\nscenario")
    )
    cells.append(("code", f"as_it_is = {_call('c.simulate', *first, **given)}\nas_it_is"))
    return [*cells, ("code", "scenario.frame")]


# --- writing it down


class Code(str):
    """A piece of a cell that stands as it is."""


def _call(function: str, *values: Any, **named: Any) -> str:
    """A call as it is typed, too long a one over several lines."""
    parts = [*(_literal(one) for one in values), *(f"{key}={_literal(value)}" for key, value in named.items())]
    line = f"{function}({', '.join(parts)})"
    return line if len(line) <= 100 else f"{function}(\n    " + ",\n    ".join(parts) + ",\n)"


def _literal(value: Any) -> str:
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(_literal, value)) + (",)" if len(value) == 1 else ")")
    if isinstance(value, (date, datetime)):
        value = value.isoformat()
    if isinstance(value, str):
        said = str(value)  # double quotes where they do, as people write
        return f'"{said}"' if said.isprintable() and '"' not in said and "\\" not in said else repr(said)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return _literal(str(value))


def _said(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: params[name] for name in names if params.get(name) is not None}


def _head(title: str, *lines: str | None) -> str:
    return "\n\n".join([f"# {plain(title)}", *(plain(line) for line in lines if line)])


def plain(text: str) -> str:
    """Text that is neither Markdown nor HTML, whatever stands in it."""
    return MARKS.sub(r"\\\1", escape(" ".join(text.split()), quote=False))


def _opening(door: Door) -> str:
    """`c = crm.open(…)` for this company and this user; what is found without being told is left out."""
    named: dict[str, Any] = {}
    folder = below(door.schema.folder)
    from crm.schema import shipped, shipped_names

    for name in shipped_names():
        if Path(door.schema.folder).resolve() == Path(shipped(name)).resolve():
            folder = name
    if folder not in (None, "sales", "config/sales"):
        named["config"] = folder
    if not door.actor.system:
        named["user"] = door.actor.login
    return f"import crm\n\nc = {_call('crm.open', **named)}"


def below(place: Any) -> str | None:
    """A place below the working folder, as text relative to it; None for any other."""
    try:
        found = Path(place).resolve().relative_to(Path.cwd().resolve())
    except (ValueError, OSError, TypeError):
        return None
    return found.as_posix()


def _written(door: Door, cells: list[Cell]) -> bytes:
    import nbformat
    from nbformat import v4

    t = door.words
    how = t("Start Jupyter where the CRM is started, or let CRM_CONFIG and CRM_DATA say where configuration and data are.")
    first, *rest = cells
    text = [first, ("markdown", how), ("code", _opening(door)), *rest]
    made = [(v4.new_code_cell if kind == "code" else v4.new_markdown_cell)(said, id=f"cell-{n}") for n, (kind, said) in enumerate(text, 1)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return nbformat.writes(v4.new_notebook(cells=made, metadata=kernel)).encode()


__all__ = ["file_name", "notebook_of"]
