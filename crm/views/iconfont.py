"""The icons of a view in a notebook: the app has them from panel-material-ui, a notebook loads nothing from outside.

`icons.woff` holds those that a configuration may name (`crm.schema.icons`) and those that pages and parts name themselves, out of
Material Icons Outlined (Apache License 2.0). `python -m crm.views.iconfont` makes it anew; a test says when that is needed.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = HERE / "icons.woff"
WORD = re.compile(r"['\"`]([a-z][a-z0-9_]{2,40})['\"`]")


@lru_cache(maxsize=1)
def data_url() -> str:
    """The font as an address that holds all of it."""
    return "data:font/woff;base64," + base64.b64encode(FILE.read_bytes()).decode()


def wanted() -> set[str]:
    """Every name that may be an icon: too many do no harm, the font knows which are."""
    from crm.schema.icons import ICONS

    folders = [HERE, HERE / "parts", HERE / "pages", HERE.parent / "actions", HERE.parent / "records"]
    files = [path for folder in folders for path in (*folder.glob("*.py"), *folder.glob("*.js")) if not path.name.startswith("parts.")]
    return {*ICONS, *(word for path in files for word in WORD.findall(path.read_text("utf-8")))}


def ligatures(font: Any) -> dict[str, Any]:
    """{name of an icon: its glyph} of a font that draws a name as one glyph."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items() if code < 128}
    found = {}
    for _, starts in _tables(font):
        for first, several in starts.items():
            for one in several:
                found["".join(letters.get(glyph, "?") for glyph in (first, *one.Component))] = one.LigGlyph
    return found


def _tables(font: Any) -> Any:
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            yield table, table.ligatures


def make() -> int:
    """Writes `icons.woff`; gives how many icons it holds."""
    import panel_material_ui
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(next((Path(panel_material_ui.__file__).parent / "dist").glob("material-icons-outlined*.woff")))
    glyphs = {glyph for name, glyph in ligatures(font).items() if name in wanted()}
    for table, starts in _tables(font):
        table.ligatures = {first: kept for first, several in starts.items() if (kept := [one for one in several if one.LigGlyph in glyphs])}
    options = subset.Options(flavor="woff", layout_features=["*"], notdef_outline=False, hinting=False)
    cut = subset.Subsetter(options)
    cut.populate(text="abcdefghijklmnopqrstuvwxyz0123456789_", glyphs=sorted(glyphs))
    cut.subset(font)
    subset.save_font(font, str(FILE), options)
    return len(glyphs)


if __name__ == "__main__":
    print(make())
