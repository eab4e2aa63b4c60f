"""A meeting pack as HTML that mail programs show: tables and inline styles only, charts as pictures; and the same as plain text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from crm.documents.packs import Made, Section
from crm.mail.rendering import address


@lru_cache(maxsize=1)
def template() -> Any:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(Path(__file__).with_name("pack.html").read_text(encoding="utf-8"))


def html(made: Made, picture: Callable[[Section], str] | None = None, why: str = "") -> str:
    """The pack as one page. `picture` gives the address of a section's chart; without it the pictures are in the page itself."""
    t = made.t
    return str(
        template().render(
            made=made,
            help=made.pack.help_in(t),
            picture=picture or made.picture,
            why=why or t("Every report in it carries its stamp: crm report --again STAMP gives the same figures again."),
            link=link(made),
            open=t("Open in the CRM"),
            nothing=t("Nothing to count yet."),
        )
    )


def link(made: Made) -> str:
    """The address of the pack in the CRM, "" when nobody has said where that is."""
    base = address(made.door.company)
    return f"{base}/?view=pack&name={made.pack.name}" if base else ""


def text(made: Made) -> str:
    """The pack without any marks: headings, sentences, tables with aligned columns."""
    out = [made.title, made.whom, *([made.pack.help_in(made.t)] if made.pack.help else []), ""]
    for section in made.sections:
        out += [section.heading, ("=" if section.kind == "words" else "-") * len(section.heading)]
        if section.kind == "figure":
            out.append(section.value)
        out += [one for one in (section.says,) if one]
        if section.kind in ("chart", "table"):
            out += ["", *aligned(section)] if section.cells else [] if section.kind == "chart" else [made.t("Nothing to count yet.")]
        out += [one for one in (made.rest(section), section.note, made.proof(section) if section.result else "") if one]
        out.append("")
    return "\n".join([*out, *([link(made)] if link(made) else [])]).rstrip() + "\n"


def aligned(section: Section) -> list[str]:
    """The table in columns of one width, numbers to the right."""
    rows = [[one["label"] for one in section.columns], *section.cells]
    widths = [max(len(row[n]) for row in rows) for n in range(len(section.columns))]
    numbers = [one["number"] for one in section.columns]
    return [
        "  ".join(cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(row, widths, numbers, strict=True)).rstrip()
        for row in rows
    ]
