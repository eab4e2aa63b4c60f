"""Automations, for those who look after them: what runs by itself, what it did, what it would have done, and what could not be sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tinydb.queries import where

from crm.errors import Denied
from crm.records import automation, outbox
from crm.records.company import stamp
from crm.records.trial import trial
from crm.schema.model import Automation, Trigger
from crm.views.base import PAGES, Page
from crm.views.pages.admin import tabs

#: Figures are of so many days, and so many runs and messages are shown.
DAYS, RUNS, MESSAGES = 30, 20, 50


@PAGES.add
class AutomationsPage(Page):
    """`?view=automations`, and `&name=` the one that is open."""

    name = "automations"

    def __init__(self, app: Any, name: str = "", **args: str) -> None:
        super().__init__(app, **args)
        if not app.actor.admin:
            raise Denied("You may not do this.")
        self.title = app.t("Automations")
        self.crumbs = [{"label": app.t("Administration"), "href": app.href(view="admin")}]
        self.open = {name} if name in app.schema.automations else set()
        self.tried: dict[str, dict] = {}
        handlers = {"open": self.show, "switch": self.switch, "trial": self.trial, "send": self.send, "drop": self.drop}
        self.body = app.part("automations", self.content(), on=handlers)

    def refresh(self) -> None:
        self.body.content = self.content()

    def content(self) -> dict:
        return {"title": self.title, "tabs": tabs(self.app), "worker": self.worker(), "rows": self.rows(), "post": self.post()}

    # -- what is shown

    def worker(self) -> dict:
        t, company = self.app.t, self.app.company
        troubles = company.store.meta.get("worker.troubles") or {}
        if at_work(company) and troubles:
            return {"ok": False, "text": t("The worker is running, and something of its work fails: {what}", what="; ".join(f"{name}: {said}" for name, said in troubles.items()))}
        if at_work(company):
            return {"ok": True, "text": t("The worker is running.")}
        return {"ok": False, "text": t("No worker is running: dates, mails and webhooks wait. The command crm worker starts one.")}

    def rows(self) -> list[dict]:
        app, company, t = self.app, self.app.company, self.app.t
        table = company.store.table(automation.RUNS)
        since = where("at") >= stamp(company.now() - timedelta(days=DAYS))
        figures: dict[str, dict[str, int]] = {}
        for row in table.aggregate(["automation", "state"], {"n": ("count", "")}, since):
            figures.setdefault(row["automation"], {})[row["state"]] = row["n"]
        last = {row["automation"]: row["at"] for row in table.aggregate(["automation"], {"at": ("max", "at")})}
        off = automation.switched_off(company)
        found = []
        for name, one in app.schema.automations.items():
            mine = figures.get(name, {})
            row = {
                "key": name, "label": one.label_in(t), "help": one.help_in(t), "when": whens(app, one), "then": thens(app, one),
                "of": app.schema.entities[one.entity].plural_in(t), "off": one.off or name in off, "fixed": one.off,
                "runs": t("{n} in 30 days", n=sum(mine.values())), "failed": mine.get(automation.FAILED, 0) + mine.get(automation.STOPPED, 0),
                "last": t.ago(moment(last[name]), company.now()) if last.get(name) else "",
            }  # fmt: skip
            if name in self.open:
                row["open"] = {"runs": self.runs(name), "trial": self.tried.get(name)}
            found.append(row)
        return found

    def runs(self, name: str) -> list[dict]:
        app, t = self.app, self.app.t
        rows = app.company.store.table(automation.RUNS).find(where("automation") == name, order_by=["-at"], limit=RUNS)
        titles: dict[str, dict[int, str]] = {}
        for row in rows:
            if row.get("record") is not None and row["entity"] in app.schema.entities:
                titles.setdefault(row["entity"], {})[row["record"]] = ""
        titles = {entity: app.door.titles(entity, list(ids)) for entity, ids in titles.items()}
        states = {automation.DONE: ("", ""), automation.FAILED: (t("Failed"), "late"), automation.STOPPED: (t("Stopped"), "late"), automation.UNDONE: (t("Taken back"), "")}
        found = []
        for row in rows:
            title = titles.get(row["entity"], {}).get(row.get("record", 0))
            state, tone = states.get(row["state"], ("", ""))
            text = t(row["text"], **row.get("values", {})) if row.get("text") else self.told(row["did"])
            gone = outbox.sent(app.company, row["step"]) if row["state"] == automation.UNDONE and row.get("step") else 0
            if gone:
                text = f"{text} · {t('Sent already, and stays sent: {n}.', n=gone)}"
            found.append({"key": str(row.doc_id), "at": t.datetime(moment(row["at"]), "short"), "title": title or t("No longer there"), "state": state, "tone": tone, "text": text,
                          "href": app.href(view="record", entity=row["entity"], id=row["record"]) if title else None})
        return found

    def told(self, did: list[dict]) -> str:
        """What a run did, in few words."""
        app, t, parts = self.app, self.app.t, []
        for one in did:
            entity = app.schema.entities.get(one.get("entity", ""))
            if one["do"] == "set" and entity is not None:
                names = ", ".join(entity.fields[key].label_in(t) for key in one["fields"] if key in entity.fields)
                parts.append(t("set {what}", what=names))
            elif one["do"] == "create" and entity is not None:
                parts.append(t("added {what}", what=app.door.title(one["entity"], one["id"]) or entity.label_in(t)))
            elif one["do"] == "assign":
                parts.append(t("given to {who}", who=app.company.people.name(one["user"]) or "–"))
            elif one["do"] == "notify":
                parts.append(t("told {who}", who=", ".join(app.company.people.name(user) or "–" for user in one["users"]) or "–"))
            elif one["do"] == "mail":
                parts.append(t("mail to {who}", who=", ".join(self.address(to) for to in one["to"]) or "–"))
            elif one["do"] == "webhook":
                parts.append(t("message to {who}", who=one["to"]))
            elif one["do"] == "approve":
                parts.append(t("asked for an approval"))
        return " · ".join(parts)

    def address(self, to: Any) -> str:
        return self.app.company.people.name(to) or "–" if isinstance(to, int) else str(to)

    def post(self) -> list[dict]:
        app, t = self.app, self.app.t
        table = app.company.store.table(outbox.OUTBOX)
        rows = table.find((where("state") == outbox.DEAD) | ((where("state") == outbox.WAITING) & (where("tries") > 0)), order_by=["-at"], limit=MESSAGES)
        found = []
        for row in rows:
            payload = row["payload"]
            to = payload.get("url") or payload.get("to") or self.address(payload.get("user"))
            what = t("Webhook") if row["channel"] == "webhook" else t("Mail")
            found.append({"key": str(row.doc_id), "what": what, "to": str(to), "text": t(row.get("text") or "", **(row.get("values") or {})), "tries": row["tries"],
                          "next": t.datetime(moment(row["due"]), "short"), "dead": row["state"] == outbox.DEAD})
        return found

    # -- what can be done

    def show(self, name: str) -> None:
        self.open ^= {name}
        self.refresh()

    def switch(self, name: str) -> None:
        t, app = self.app.t, self.app
        on = name in automation.switched_off(app.company)
        automation.switch(app.door, name, on)
        label = app.schema.automations[name].label_in(t)
        app.say(t("“{name}” is on again.", name=label) if on else t("“{name}” is off until somebody switches it on.", name=label))
        self.refresh()

    def trial(self, name: str) -> dict:
        app, t = self.app, self.app.t
        if not app.actor.admin:
            raise Denied()
        found = trial(app.company, name)
        titles = app.door.titles(app.schema.automations[name].entity, [one.id for one in found.hits])
        hits = [{"key": f"{one.id}-{number}", "at": t.datetime(one.at, "short"), "title": titles.get(one.id) or t("No longer there"),
                 "href": app.href(view="record", entity=one.entity, id=one.id) if titles.get(one.id) else None} for number, one in enumerate(found.hits)]  # fmt: skip
        since = t.date(found.since.date())
        text = t("It would have run {n} times since {day}.", n=found.count, day=since) if found.count else t("It would not have run at all since {day}.", day=since)
        more = t("The newest {n} are shown.", n=len(hits)) if found.count > len(hits) else ""
        self.tried[name] = {"text": text, "hits": hits, "more": more}
        self.open.add(name)
        self.refresh()
        return {}

    def send(self, id: int) -> None:
        outbox.again(self.app.door, int(id))
        self.app.say(self.app.t("It is sent again."))
        self.refresh()

    def drop(self, id: int) -> None:
        outbox.again(self.app.door, int(id), send=False)
        self.app.say(self.app.t("Dropped."))
        self.refresh()


def at_work(company: Any) -> bool:
    """Whether some worker holds the lease."""
    kept = company.store.meta.get("worker.lease")
    return bool(kept) and kept["until"] > datetime.now().timestamp()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def whens(app: Any, one: Automation) -> str:
    """What begins an automation, in words."""
    return " / ".join(when(app, one, trigger) for trigger in one.when)


def when(app: Any, one: Automation, trigger: Trigger) -> str:
    t, entity = app.t, app.schema.entities[one.entity]

    def field(key: str | None) -> str:
        return entity.fields[key].label_in(t) if key else t("the newest activity")

    if trigger.kind == "created":
        return t("one is added")
    if trigger.kind == "changed":
        return t("{what} changes", what=", ".join(field(key) for key in trigger.fields)) if trigger.fields else t("something changes")
    if trigger.kind == "stage":
        labels = []
        for pipeline, key in trigger.stages:
            names = [pipeline] if pipeline else entity.pipelines
            labels += [app.schema.pipelines[name].stages[key].label_in(t) for name in names if key in app.schema.pipelines[name].stages]
        return t("it enters {what}", what=", ".join(dict.fromkeys(labels)))
    if trigger.kind == "date":
        span = length(t, trigger.offset)
        if not span:
            return t("{what} has come", what=field(trigger.field))
        words = "{span} before {what}" if trigger.offset.weight < 0 else "{span} after {what}"
        return t(words, span=span, what=field(trigger.field))
    if trigger.kind == "silence":
        return t("{span} of silence since {what}", span=length(t, trigger.offset), what=field(trigger.field))
    at = t.time(datetime.combine(datetime.now().date(), trigger.at, app.company.zone)) if trigger.at else ""
    if trigger.every == "day":
        return t("every day at {time}", time=at)
    if trigger.every == "week":
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        return t("every week: {day}, {time}", day=t(names[(trigger.on or 1) - 1]), time=at)
    return t("every month: day {day}, {time}", day=trigger.on or t("the last"), time=at)


def length(t: Any, period: Any) -> str:
    """A length of time in words; "" for none."""
    months, days, minutes = abs(period.months), abs(period.days), abs(period.minutes)
    parts = [(months, t("1 month") if months == 1 else t("{n} months", n=months)), (days, t("1 day") if days == 1 else t("{n} days", n=days)),
             (minutes, t("1 minute") if minutes == 1 else t("{n} minutes", n=minutes))]
    return " ".join(words for number, words in parts if number)


def thens(app: Any, one: Automation) -> str:
    """What an automation does, in words."""
    t, parts = app.t, []
    for effect in one.then:
        entity = app.schema.entities[one.entity]
        if effect.do == "set":
            target = app.schema.entities[entity.fields[effect.of].to] if effect.of else entity
            parts.append(t("set {what}", what=", ".join(target.fields[value.field].label_in(t) for value in effect.values)))
        elif effect.do == "create":
            parts.append(t("add {what}", what=app.schema.entities[effect.what].label_in(t)))
        elif effect.do in ("notify", "approve", "assign") and effect.to:
            words = {"notify": "tell {who}", "approve": "ask {who} for an approval", "assign": "give it to {who}"}[effect.do]
            parts.append(t(words, who=", ".join(dict.fromkeys(whom(app, entity, one) for one in effect.to))))
        else:
            words = {"assign": "share it out", "mail": "send a mail", "webhook": "send a message"}[effect.do]
            parts.append(t(words))
    return ", ".join(parts)


def whom(app: Any, entity: Any, to: Any) -> str:
    """A role, or the field a user stands in at the end of a path, in words."""
    t = app.t
    if isinstance(to, str):
        return str(app.schema.roles[to].label_in(t))
    field = getattr(getattr(to.node, "name", None), "field", None)
    if field is None:
        return str(t("whoever did it"))
    label = str(field.label_in(t))
    steps = getattr(to.node, "steps", ())
    return f"{label} ({steps[-1].name.field.label_in(t)})" if steps and steps[-1].name.field is not None else label
