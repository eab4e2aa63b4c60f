"""Settings of a user: appearance, language, reminders by mail and in the calendar, who they are here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from crm.errors import Refused
from crm.mail.digest import PREFERENCES
from crm.mail.rendering import address_of
from crm.views.base import PAGES, Page
from crm.views.frame import LANGUAGE_NAMES


@lru_cache(maxsize=1)
def zones() -> list[str]:
    """The time zones people live in, by name."""
    places = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return sorted(name for name in available_timezones() if name.startswith(places))


@PAGES.add
class SettingsPage(Page):
    """`?view=settings`."""

    name = "settings"

    def __init__(self, app: Any, **args: str) -> None:
        super().__init__(app, **args)
        self.title = app.t("My settings")
        acts = {"dark": self.dark, "language": app.speak, "digest": self.digest, "zone": self.zone, "calendar": self.calendar}
        self.body = app.part("settings", self.content(), on=acts)

    def content(self) -> dict:
        app, t, door = self.app, self.app.t, self.app.door
        role = app.schema.roles.get(app.actor.role)
        facts = [[t("Name"), app.actor.name], [t("Signs in as"), app.actor.login], [t("Role"), role.label_in(t) if role else app.actor.role]]
        if app.actor.team and app.schema.teams:
            facts.append([t("Team"), app.door.titles(app.schema.teams.entity, [app.actor.team]).get(app.actor.team, "")])
        mail = address_of(app.company, app.actor.id) if app.actor.id is not None else ""
        often = {"daily": t("Every working day"), "weekly": t("On Mondays"), "none": t("Never")}
        return {
            "title": self.title,
            "dark": app.dark,
            "language": t.language,
            "languages": [[code, LANGUAGE_NAMES.get(code, code)] for code in app.schema.languages],
            "facts": facts,
            "digests": [[name, often[name]] for name in PREFERENCES],
            "digest": door.preference("digest", PREFERENCES[0]),
            "mail": t("It goes to {address}.", address=mail) if mail else t("You have no e-mail address here, so nothing can be sent."),
            "zone": door.preference("timezone") or t.timezone,
            "zones": zones(),
            "calendar": door.calendar() if app.actor.id is not None else None,
        }

    def again(self) -> None:
        self.body.content = self.content()

    def dark(self) -> None:
        self.app.flip()
        self.again()

    def digest(self, often: str) -> None:
        """How often the mail with what is due comes."""
        if often not in PREFERENCES:
            raise Refused("There is nothing called {name}.", name=often)
        self.door.prefer("digest", often)
        self.app.say(self.t("Saved"))
        self.again()

    def zone(self, name: str) -> None:
        """Where the user is: when the mail comes, and the times in it."""
        if name not in zones() and name != self.t.timezone:
            raise Refused("There is nothing called {name}.", name=name)
        self.door.prefer("timezone", None if name == self.t.timezone else name)
        self.app.say(self.t("Saved"))
        self.again()

    def calendar(self, act: str) -> None:
        """A secret address for the calendar: made, made anew, or withdrawn. The one before stops working."""
        if act == "withdraw":
            self.door.withdraw_calendar()
            self.app.say(self.t("The calendar address no longer works."))
        elif self.door.calendar() is None:
            self.door.renew_calendar()
        else:
            self.app.confirm(
                self.t("A new calendar address?"),
                self.t("Calendars that use the present one no longer get anything."),
                yes=self.t("New address"),
                on_yes=self.renew,
            )
            return
        self.again()

    def renew(self) -> None:
        self.door.renew_calendar()
        self.app.say(self.t("The calendar has a new address."))
        self.again()

    def refresh(self) -> None:
        self.again()
