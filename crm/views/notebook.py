"""A page of the app in a notebook cell, alive: board, list, record, form, report, dashboard; links lead on inside the cell.

`view(company, actor, "board", pipeline="b2b")` gives the Panel object. Each is a window of its own, with dialogs, messages and Undo, under
the rights of its user; what it needs comes with it, nothing is fetched from outside.

JupyterLab shows them alive where `pyviz_comms` (which Panel brings) is installed beside it. Tried in JupyterLab 4.6 with Chromium: a card dragged
over a gate, "Move to…", a form, a value edited in place, a link followed inside the cell, a kernel restarted; no address outside was asked for.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import panel as pn
from panel.theme import Native

from crm.views.app import App, stack
from crm.views.base import PARTS
from crm.views.iconfont import data_url


class Window(App):
    """The app without its navigation: the window of one cell."""

    def frame_at(self, query: str) -> Any:
        self.before: list[str] = []  # the addresses one came from
        return PARTS["window"]({"icons": data_url()}, app=self, query=query, on={"go": self.follow, "back": self.back})

    def share_module(self, part: Any, found: dict[str, Any]) -> dict[str, Any]:
        """The module of all parts is carried by the edge; the others of this view wait for what it gives them."""
        key = json.dumps(f"crm-{found['bundle'][:16]}")
        if part is self.frame:
            code = found["esm"].replace("export default {", "const ALL = {") + "\nshared.give(ALL)\nexport default ALL\n"
            return {**found, "esm": SHARED.format(key=key) + code}
        return {**found, "esm": SHARED.format(key=key) + "export default await shared.all\n", "bundle": found["bundle"] + "-shared"}

    @staticmethod
    def grid(areas: str, *children: Any, phone: str | None = None, **layout: Any) -> Any:
        """A cell is narrower than its window says: one column, in the order of a phone."""
        names = list(dict.fromkeys(areas.replace("|", " ").split()))
        order = (phone or areas).replace("|", " ").split()
        placed = sorted(zip(children, names, strict=False), key=lambda one: order.index(one[1]))
        return stack(*(child for child, _ in placed))

    def whole(self) -> Any:
        return pn.Column(
            self.frame, self.body, self.toast, self.sheets, *self.boxes.parts, sizing_mode="stretch_width", margin=0, styles=GROUND,
            design=Native,  # panel-material-ui would put 1.4 MB of its own around every cell
        )  # fmt: skip

    def follow(self, query: str) -> None:
        """A link that was clicked."""
        if query == self.frame.query:
            return self.refresh()
        self.before.append(self.frame.query)
        self.frame.query = query
        return None

    def back(self) -> None:
        if self.before:
            self.frame.query = self.before.pop()

    def go(self, **args: Any) -> None:
        self.follow(urlencode({key: value for key, value in args.items() if value not in (None, "")}))

    def redraw_frame(self) -> None:
        page = self.now
        if page is not None:
            self.frame.patch(title=page.title or self.t("Home"), crumbs=page.crumbs, back=bool(self.before))

    def flip(self) -> None:
        """Light or dark is what the notebook is."""


#: What carrier and sharers of a module begin with, whichever the browser runs first.
SHARED = """const shared = (globalThis[{key}] ??= (() => {{ let give; return {{all: new Promise(done => {{ give = done }}), give: all => give(all)}} }})())
"""
GROUND = {"background": "var(--jp-layout-color0, transparent)", "min-width": "0"}


def view(company: Any, actor: Any, name: str, **args: Any) -> Any:
    """The page `name` of the app at an address (`entity="account", id=3`), as a Panel object."""
    return Window(company, actor, query=urlencode({"view": name, **args})).page
