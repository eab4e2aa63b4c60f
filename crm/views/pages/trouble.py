"""The page for an address that leads nowhere, and for a page that could not be made."""

from typing import Any

from crm.errors import Denied, Missing, Refused
from crm.stores import where_id
from crm.views.base import PAGES, Page


@PAGES.add
class TroublePage(Page):
    """Says what happened in the user's words, that nothing is lost, and where to go on."""

    name = "trouble"

    def __init__(self, app: Any, answer: dict | None = None, missing: bool = True, entity: str = "", id: str = "", **args: str) -> None:
        super().__init__(app, **args)
        t = app.t
        gone = self.deleted(entity, id) if missing else None
        if gone is not None:
            self.title = gone.title
            note = t("You may bring it back as it was.")
            content = {"glyph": "delete", "title": self.title, "text": t("This has been deleted."), "note": note, "restore": True}
            self.body = app.part("trouble", content, on={"restore": lambda: self.restore(gone)})
            return
        self.title = t("Not found") if missing else t("Something went wrong")
        text = (answer or {}).get("error") or t("There is no such page.")
        note = (t("It may have been deleted, or it is not for you. If somebody sent you the link, ask them who may see it.") if missing
                else t("Nothing you saved is lost."))
        self.body = app.part("trouble", {"glyph": "search_off" if missing else "error_outline", "title": self.title, "text": text, "note": note})

    def deleted(self, entity: str, number: str) -> Any:
        """The deleted record an address leads to, for those who may restore it."""
        if entity not in self.app.schema.entities or not number.isdigit():
            return None
        try:
            found = self.app.door.list(entity, where_id("==", int(number)), limit=1, deleted=True)
        except (Denied, Missing, Refused):
            return None
        return found[0] if found else None

    def restore(self, record: Any) -> None:
        self.app.door.restore(record.entity, record.id)
        self.app.say(self.app.t("{title} restored", title=record.title))
        self.app.refresh()
