"""Home: a stub until the data is there."""

from typing import Any

from crm.views.base import PAGES, Page


@PAGES.add
class HomePage(Page):
    name = "home"

    def __init__(self, app: Any, **args: str) -> None:
        super().__init__(app, **args)
        self.title = app.t("Home")
        self.body = app.part("trouble", {"glyph": "home", "title": self.title, "text": "…", "note": ""})
