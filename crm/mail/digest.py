"""The digest: once a day (or a week) by mail, what a user has promised for today, what is late and what has no next step.

It is put together when it is sent, through the rights its reader has then, in their language and time zone. Which day it is for
stands in the outbox's key, and it is sent at most once (`once`), so nobody gets the same day's twice, whatever crashes when.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crm.errors import Denied, Missing
from crm.mail.rendering import address, address_of, link_to
from crm.records import agenda
from crm.records.outbox import queue

if TYPE_CHECKING:
    from crm.records.company import Company

#: How often a user may want it; the first is what those get who never chose.
PREFERENCES = ("daily", "weekly", "none")
#: Between these hours of the reader's day it is sent: in the morning, or as soon as the worker is there again.
MORNING, EVENING = time(7, 0), time(20, 0)
#: So many lines of a kind stand in it; the rest is counted.
LINES = 15


def zone_of(door: Any) -> Any:
    """The time zone of a user: the chosen one, else the company's."""
    try:
        return ZoneInfo(door.preference("timezone") or door.words.timezone)
    except (KeyError, ValueError, OSError):
        return door.words.tz


def wanted(door: Any, now: datetime) -> date | None:
    """The day whose digest a user is to get at `now`; None when they want none, or not at this hour or day."""
    choice = door.preference("digest", PREFERENCES[0])
    local = now.astimezone(zone_of(door))
    if choice == "none" or not MORNING <= local.time() < EVENING:
        return None
    if choice == "weekly" and local.weekday() != 0:
        return None
    return local.date() if choice == "weekly" or local.weekday() < 5 else None


def queue_digests(company: Company, now: datetime) -> int:
    """Put the digests that are due into the outbox; how many. What is noted and what is queued are one transaction."""
    users = company.schema.users
    if users is None or not users.email:
        return 0
    queued = 0
    for user in company.ids(users.entity):
        try:
            door = company.door(user)
        except (Missing, Denied):
            continue
        day = wanted(door, now)
        noted = f"digest.{user}"
        if day is None or company.store.meta.get(noted, None) == day.isoformat() or not address_of(company, user):
            continue
        key = f"digest|{user}|{day}"
        with company.store.transaction():
            if Digest(company, door, day, now).worth:
                queued += queue(company, "mail", {"user": user, "digest": day.isoformat(), "once": True}, key=key) is not None
            company.store.meta.set(noted, day.isoformat())
    return queued


def write(company: Company, user: int, day: date, now: datetime | None = None) -> dict[str, str] | None:
    """`{subject, text, html}` of a user's digest; None when its day has passed or there is nothing in it any more."""
    door = company.door(user)
    now = now or company.now()
    if now.astimezone(zone_of(door)).date() != day:
        return None
    found = Digest(company, door, day, now)
    return found.message() if found.worth else None


class Digest:
    """What stands in one digest: sections of (what, about, when, address)."""

    def __init__(self, company: Company, door: Any, day: date, now: datetime) -> None:
        self.company, self.door, self.day = company, door, day
        self.t, self.tz = door.words, zone_of(door)
        self.weekly = door.preference("digest", PREFERENCES[0]) == "weekly"
        ahead = timedelta(days=6) if self.weekly else timedelta()
        self.steps = agenda.steps(door, day + ahead, tz=self.tz)
        self.missing, self.lacking = agenda.without(door, 5)
        self.unread = door.unread()

    @property
    def worth(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.steps or self.lacking)

    def sections(self) -> list[tuple[str, int, list[tuple[str, str, str, str]]]]:
        t = self.t
        by = {
            name: [one for one in self.steps if agenda.state(one.day, self.day) == name]
            for name in (agenda.LATE, agenda.TODAY, agenda.LATER)
        }
        named = ((t("Overdue"), by[agenda.LATE]), (t("Today"), by[agenda.TODAY]), (t("This week"), by[agenda.LATER]))
        found = [(label, len(steps), [self.line(one) for one in steps[:LINES]]) for label, steps in named if steps]
        if self.lacking:
            lines = [(one.title, one.subtitle, "", link_to(self.company, one.entity, one.id)) for one in self.missing]
            found.append((t("Without a next step"), self.lacking, lines))
        return found

    def line(self, step: agenda.Step) -> tuple[str, str, str, str]:
        record = step.record
        about = record.subtitle if step.planned or step.what == record.title else record.title
        when = self.t.date(step.day, "short") if step.day != self.day else ""
        if isinstance(step.when, datetime) and (local := step.when.astimezone(self.tz)).time() != time(0):
            when = f"{when} {local:%H:%M}".strip()
        return step.what, about, when, link_to(self.company, step.entity, step.id)

    def message(self) -> dict[str, str]:
        t, sections = self.t, self.sections()
        late = sum(agenda.state(one.day, self.day) == agenda.LATE for one in self.steps)
        due = sum(agenda.state(one.day, self.day) == agenda.TODAY for one in self.steps)
        head = t("Your week") if self.weekly else t("Your day")
        counts = [*([t("{n} late", n=late)] if late else []), *([t("{n} due today", n=due)] if due else [])]
        subject = f"{head}: {', '.join(counts)}" if counts else head
        hello = t("Good morning, {name}", name=self.door.actor.name.split()[0]) if self.door.actor.name else head
        news = t("Notices that wait to be read: {n}.", n=self.unread) if self.unread else ""
        why = t("You get this because your settings say so; change it there.")
        base = address(self.company)
        settings = f"{base}/?view=settings" if base else ""
        return {
            "subject": subject,
            "text": self.text(hello, sections, news, why, settings),
            "html": self.html(hello, sections, news, why, settings),
        }

    def text(self, hello: str, sections: list[Any], news: str, why: str, settings: str) -> str:
        out = [f"{hello}.", self.t.date(self.day, "full"), ""]
        for label, count, lines in sections:
            out.append(f"{label} ({count})")
            for what, about, when, link in lines:
                out.append("- " + ", ".join(one for one in (when, what, about) if one))
                if link:
                    out.append(f"  {link}")
            out += [self.t("and {n} more", n=count - len(lines))] if count > len(lines) else []
            out.append("")
        out += [news, ""] if news else []
        return "\n".join([*out, "-- ", why, *([settings] if settings else [])]) + "\n"

    def html(self, hello: str, sections: list[Any], news: str, why: str, settings: str) -> str:
        """Plain HTML that every mail program shows; all that comes from records is escaped."""
        grey = "color:#5b6472"
        out = [
            f'<!doctype html><html lang="{escape(self.t.language.replace("_", "-"))}"><meta charset="utf-8"><body style="font:15px/1.5 sans-serif;color:#1c2430">'
        ]
        out.append(f'<p>{escape(hello)}.<br><span style="{grey}">{escape(self.t.date(self.day, "full"))}</span></p>')
        for number, (label, count, lines) in enumerate(sections):
            late = number == 0 and label == self.t("Overdue")
            out.append(
                f'<h2 style="font-size:16px;margin:20px 0 6px{";color:#b3261e" if late else ""}">{escape(label)} ({count})</h2><ul style="padding-left:18px;margin:0">'
            )
            for what, about, when, link in lines:
                said = f'<a href="{escape(link)}">{escape(what)}</a>' if link else escape(what)
                aside = ", ".join(escape(one) for one in (about, when) if one)
                out.append(f"<li>{said}{f' <span style={chr(34)}{grey}{chr(34)}>{aside}</span>' if aside else ''}</li>")
            out.append("</ul>")
            if count > len(lines):
                out.append(f'<p style="{grey}">{escape(self.t("and {n} more", n=count - len(lines)))}</p>')
        if news:
            out.append(f"<p>{escape(news)}</p>")
        foot = f'<a href="{escape(settings)}" style="{grey}">{escape(why)}</a>' if settings else escape(why)
        out.append(f'<p style="{grey};font-size:13px;margin-top:24px">{foot}</p></body></html>')
        return "\n".join(out) + "\n"
