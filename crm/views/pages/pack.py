"""A meeting pack: what is in it, as a file to take away and as a mail to oneself."""

from __future__ import annotations

import base64
from typing import Any

import panel as pn

from crm.documents import Section, make
from crm.documents.html import html
from crm.documents.mailing import mail_to_me
from crm.documents.pdf import pdf
from crm.views.app import href
from crm.views.base import PAGES, Page
from crm.views.cards import CARD, dashboard_grid, pieces


@PAGES.add
class PackPage(Page):
    """`?view=pack&name=…`; its reports as cards in their order, under their headings."""

    name = "pack"
    drawings = True

    def __init__(self, app: Any, name: str = "", **args: str) -> None:
        super().__init__(app, **args)
        t = app.t
        self.made = made = make(app.door, name)
        self.title = made.title
        self.crumbs = [{"label": t("Reports"), "href": href(view="report")}]
        head = {
            "note": made.pack.help_in(t),
            "meta": made.whom,
            "acts": [
                {"name": "pdf", "label": t("Download as PDF"), "glyph": "picture_as_pdf"},
                {"name": "html", "label": t("Download as page"), "glyph": "description"},
                {"name": "mail", "label": t("Mail to me"), "glyph": "mail"},
            ],
        }
        parts = [app.part("pack_head", head, on={"do": self.act})]
        for block in made.blocks():
            section = block[0]
            if section.kind == "words":
                parts.append(app.part("pack_head", {"heading": section.heading, "note": section.note}))
                continue
            cards = [self.card(one) for one in block]
            parts.append(dashboard_grid(app, [cards], [[12 // len(block)] * len(block)]))
        self.body = app.stack(*parts, gap=16)

    def card(self, section: Section) -> Any:
        """One report of the pack, under the heading it has there."""
        assert section.result is not None
        made = pieces(self.app, section.result, 240)
        made[0].patch(title=section.heading)
        if section.note:
            made.append(self.app.part("pack_head", {"note": section.note}))
        return pn.Column(*made, sizing_mode="stretch_width", margin=0, stylesheets=CARD)

    def act(self, name: str) -> dict[str, Any]:
        """A file of the pack, with the figures that are shown; or the pack queued as a mail."""
        if name == "mail":
            to = mail_to_me(self.door, self.made.pack.name)
            return {"say": self.t("On its way to {address}.", address=to)}
        data, kind = (pdf(self.made), "application/pdf") if name == "pdf" else (html(self.made).encode(), "text/html")
        assert isinstance(data, bytes)
        return {"file": {"name": f"{self.made.file_name}.{name}", "kind": kind, "data": base64.b64encode(data).decode()}}
