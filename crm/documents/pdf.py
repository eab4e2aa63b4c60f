"""A meeting pack as PDF, set by typst: no browser, no system package, the fonts come with the libraries."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Literal

from crm.documents.packs import Made, Section

TEMPLATE = Path(__file__).with_name("pack.typ")
#: The height of a chart's drawing in pixels; it is scaled to the width of the page.
HEIGHT = 145


def pdf(made: Made, format: Literal["pdf", "png"] = "pdf") -> Any:
    """The pages of a pack: the bytes of a PDF, or with `format="png"` a list with a picture of each (bytes, where there is one)."""
    import matplotlib
    import typst

    with tempfile.TemporaryDirectory(prefix="crm-pack-") as name:
        folder = Path(name)
        (folder / "pack.typ").write_bytes(TEMPLATE.read_bytes())
        for section in made.sections:
            if section.kind == "chart":
                (folder / f"{section.name}.svg").write_bytes(section.svg(HEIGHT))
        (folder / "data.json").write_text(json.dumps(content(made), ensure_ascii=False), encoding="utf-8")
        fonts = [Path(matplotlib.get_data_path(), "fonts", "ttf")]
        done = typst.compile(folder / "pack.typ", root=folder, font_paths=fonts, ignore_system_fonts=True, format=format, ppi=120)
    return done if format == "pdf" else done if isinstance(done, list) else [done]


def content(made: Made) -> dict[str, Any]:
    """What the template reads."""
    t = made.t
    return {
        "title": made.title,
        "company": made.company,
        "language": t.language.split("_")[0],
        "whom": made.whom,
        "help": made.pack.help_in(t),
        "page": t("Page"),
        "nothing": t("Nothing to count yet."),
        "blocks": [[part(made, section) for section in block] for block in made.blocks()],
    }


def part(made: Made, section: Section) -> dict[str, Any]:
    return {
        "kind": section.kind,
        "heading": section.heading,
        "note": section.note,
        "says": steady(section.says),
        "value": section.value if section.kind == "figure" else "",
        "picture": f"{section.name}.svg",
        "columns": section.columns,
        "cells": [[steady(cell) for cell in row] for row in section.cells],
        "alt": f"{section.heading}. {section.says}",
        "more": made.rest(section),
        "proof": made.proof(section) if section.result else "",
    }


def steady(text: str) -> str:
    """A text whose signs stay with their figures: a hyphen may be broken after (U+2060 joins)."""
    return re.sub(r"(?<!\w)-(?=\S)", "\u2212\u2060", text)
