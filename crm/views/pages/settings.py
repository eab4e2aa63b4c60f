"""Settings of a user: appearance, language, who they are here."""

from __future__ import annotations

from typing import Any

from crm.views.base import PAGES, Page
from crm.views.frame import LANGUAGE_NAMES


@PAGES.add
class SettingsPage(Page):
    """`?view=settings`."""

    name = "settings"

    def __init__(self, app: Any, **args: str) -> None:
        super().__init__(app, **args)
        self.title = app.t("Settings")
        self.body = app.part("settings", self.content(), on={"dark": self.dark, "language": app.speak})

    def content(self) -> dict:
        app, t = self.app, self.app.t
        role = app.schema.roles.get(app.actor.role)
        facts = [[t("Name"), app.actor.name], [t("Signs in as"), app.actor.login], [t("Role"), role.label_in(t) if role else app.actor.role]]
        if app.actor.team and app.schema.teams:
            facts.append([t("Team"), app.door.titles(app.schema.teams.entity, [app.actor.team]).get(app.actor.team, "")])
        return {"title": self.title, "dark": app.dark, "language": t.language, "languages": [[code, LANGUAGE_NAMES.get(code, code)] for code in app.schema.languages], "facts": facts}

    def dark(self) -> None:
        self.app.flip()
        self.body.content = self.content()

    def refresh(self) -> None:
        self.body.content = self.content()
