"""The page for an address that leads nowhere, and for a page that could not be made."""

from typing import Any

from crm.views.base import PAGES, Page


@PAGES.add
class TroublePage(Page):
    """Says what happened in the user's words, that nothing is lost, and where to go on."""

    name = "trouble"

    def __init__(self, app: Any, answer: dict | None = None, missing: bool = True, **args: str) -> None:
        super().__init__(app, **args)
        t = app.t
        self.title = t("Not found") if missing else t("Something went wrong")
        text = (answer or {}).get("error") or t("There is no such page.")
        note = (t("It may have been deleted, or it is not for you. If somebody sent you the link, ask them who may see it.") if missing
                else t("Nothing you saved is lost."))
        self.body = app.part("trouble", {"glyph": "search_off" if missing else "error_outline", "title": self.title, "text": text, "note": note})
