"""What is due and dated, by day: a month or a week, with the same filters as the list."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from tinydb import where

from crm.errors import Missing, RecordError, Refused
from crm.views.app import href
from crm.views.base import PAGES, told
from crm.views.listing import local_day
from crm.views.pages.list import Listed
from crm.views.planning import day_of
from crm.views.text import subtitle
from crm.words import utc

MOST = 600  # events of one screen


@PAGES.add
class CalendarPage(Listed):
    """`?view=calendar&mode=week&day=2026-12-01`; without an entity the activities of the signed-in user."""

    name = "calendar"
    shape = "calendar"

    def __init__(self, app: Any, entity: str = "", **args: str) -> None:
        roles = app.schema.activities
        if not entity:
            if roles is None or not app.door.may("see", roles.entity):
                raise Missing("This is not there, or not for you.")
            entity = roles.entity
            if "v" not in args and "mine" in app.schema.entities[entity].list.filters:
                args = {**args, "v": "mine"}
        super().__init__(app, entity, **args)
        if not self.listing.date_fields():
            raise Missing("There are no days here.")
        self.part = app.part("calendar", self.content(), on={**self.shared(), "postpone": self.postpone})
        self.body = self.part

    def turn(self, args: dict[str, str]) -> bool:
        args = dict(args)
        args.setdefault("entity", self.app.schema.activities.entity if self.app.schema.activities else self.listing.entity.name)
        return super().turn(args)

    @property
    def mode(self) -> str:
        return "week" if self.listing.args.get("mode") == "week" else "month"

    @property
    def day(self) -> date:
        try:
            return date.fromisoformat(self.listing.args.get("day", ""))
        except ValueError:
            return self.t.today()

    def days(self) -> list[date]:
        """The days on the screen: whole weeks."""
        first = self.app.schema.first_day
        start = self.day if self.mode == "week" else self.day.replace(day=1)
        start -= timedelta(days=(start.weekday() - first) % 7)
        if self.mode == "week":
            return [start + timedelta(days=one) for one in range(7)]
        after = (self.day.replace(day=28) + timedelta(days=4)).replace(day=1)
        weeks = -(-(after - start).days // 7)
        return [start + timedelta(days=one) for one in range(7 * weeks)]

    def content(self) -> dict[str, Any]:
        t, listing = self.t, self.listing
        days, today = self.days(), t.today()
        events = self.events(days[0], days[-1])
        step = timedelta(days=7) if self.mode == "week" else timedelta(days=31)
        before = (
            days[0] - timedelta(days=1)
            if self.mode == "month" and days[0].month != self.day.month
            else self.day.replace(day=1) - timedelta(days=1)
            if self.mode == "month"
            else self.day - step
        )
        after = (self.day.replace(day=28) + timedelta(days=4)).replace(day=1) if self.mode == "month" else self.day + step
        title = t.date(self.day, "LLLL y") if self.mode == "month" else f"{t.date(days[0], 'd MMM')} – {t.date(days[-1], 'd MMM y')}"
        return {
            **self.bar(),
            "mode": self.mode,
            "title": title[:1].upper() + title[1:],
            "weekdays": [t.date(one, "EEE") for one in days[:7]],
            "days": [
                {
                    "iso": one.isoformat(),
                    "day": str(one.day),
                    "label": t.date(one, "EEEE d MMMM"),
                    "today": one == today,
                    "other": self.mode == "month" and one.month != self.day.month,
                }
                for one in days
            ],
            "events": events,
            "before": self.at(before),
            "after": self.at(after),
            "now": self.at(None),
            "addable": self.door.may("create", listing.entity.name),
            "modes": [
                {"name": "month", "label": t("Month"), "href": listing.link(mode="", day=self.listing.args.get("day", ""))},
                {"name": "week", "label": t("Week"), "href": listing.link(mode="week", day=self.listing.args.get("day", ""))},
            ],
        }

    def at(self, day: date | None) -> str:
        return self.listing.link(day=day.isoformat() if day else "")

    def within(self, key: str, first: date, last: date) -> Any:
        """Records whose field lies in these days."""
        field = self.listing.fields[key]
        if field.kind == "datetime":
            low, high = (utc(datetime.combine(one, time(), tzinfo=self.t.tz)) for one in (first, last + timedelta(days=1)))
            return (where(key) >= field.to_json(low)) & (where(key) < field.to_json(high))
        return (where(key) >= field.to_json(first)) & (where(key) <= field.to_json(last))

    def events(self, first: date, last: date) -> list[dict]:
        t, listing, roles = self.t, self.listing, self.app.schema.activities
        entity, today = listing.entity, t.today()
        acts = bool(roles and roles.entity == entity.name)
        keys = listing.date_fields()
        if acts and roles.done in listing.readable:
            keys = [*keys, roles.done] if listing.view in ("all", "done") else keys
        found: dict[str, dict] = {}
        may = self.door.may("change", entity.name)
        writable = self.door.writable(entity.name) if may else frozenset()
        for place, key in enumerate(keys):
            records = listing.records(MOST, 0, [self.within(key, first, last)], [key])
            listing.titles.load_records(records, [one for one, field in listing.fields.items() if getattr(field, "to", None)])
            for record in records:
                value = record.get(key)
                day = local_day(t, value)
                name = f"{record.id}-{key}"
                if day is None or (acts and any(one in found for one in (f"{record.id}-{other}" for other in keys if other != key))):
                    continue
                done = acts and record.get(roles.done) is not None
                stage = self.app.schema.stage_of(entity.name, record) if entity.stage_field and entity.stage_field in record else None
                is_open = not done and (stage is None or stage.open)
                kind = record.get(roles.kind) if acts and roles.kind else None
                local = t.local(value) if isinstance(value, datetime) else None
                tone = (
                    "late"
                    if is_open and day < today and (acts or place == 0)
                    else "soon"
                    if is_open and day == today
                    else ""
                    if acts or place == 0
                    else "date"
                )
                label = "" if acts else listing.fields[key].label_in(t)
                found[name] = {
                    "key": name,
                    "day": day.isoformat(),
                    "order": local.isoformat() if local else "",
                    "time": t.time(value) if local and (local.hour or local.minute) else None,
                    "title": record.title,
                    "sub": " · ".join(one for one in (label, subtitle(record, entity, listing.shown)) if one),
                    "glyph": (roles.kinds.get(kind) or entity.icon) if acts else ("event" if place == 0 else "flag"),
                    "tone": tone,
                    "done": bool(done),
                    "href": href(view="record", entity=entity.name, id=record.id),
                    "may": is_open and may and key in writable,
                }
        return sorted(found.values(), key=lambda one: (one["day"], one["done"], one["order"]))

    def figures(self) -> dict[str, Any]:
        return {"total": self.t("{n} in these days", n=len(self.part.content["events"]))}

    def postpone(self, key: str, to: str) -> dict:
        """Moves one to another day; its time of day stays."""
        number, _, field_key = key.partition("-")
        entity, t = self.listing.entity, self.t
        field = self.listing.fields.get(field_key)
        if field is None:
            raise Missing("This is not there, or not for you.")
        day = day_of(self.app, to)
        record = self.door.get(entity.name, int(number))
        value: Any = day
        if field.kind == "datetime":
            was = record.get(field_key)
            clock = t.local(was).time() if isinstance(was, datetime) else time(9)
            value = datetime.combine(day, clock, tzinfo=t.tz)
        try:
            with self.door.step("postpone") as step:
                self.door.change(entity.name, int(number), {field_key: value})
        except RecordError as exc:
            answer = told(exc, t)
            return {"error": next(iter((answer.get("problems") or {}).values()), answer["error"])}
        except Refused as exc:
            return {"error": exc.say(t)}
        self.part.patch(events=self.events(self.days()[0], self.days()[-1]))
        words = t("Moved to {day}", day=t.date(day))
        self.app.say(words, undo=step.id)
        return {"say": words}

    def add(self, day: str = "", **values: Any) -> None:
        keys = self.listing.date_fields()
        if day and keys:
            field = self.listing.fields[keys[0]]
            chosen = date.fromisoformat(day)
            values[keys[0]] = datetime.combine(chosen, time(9), tzinfo=self.t.tz) if field.kind == "datetime" else chosen
        super().add(**values)
