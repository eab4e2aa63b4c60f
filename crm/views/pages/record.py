"""One record: what it is, where it stands, what happened, what is next, what belongs to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.errors import Conflict, Denied, Missing, RecordError, Refused
from crm.records import agenda, approvals, classes, gates
from crm.records.timeline import above
from crm.views import acting, gating, insights, leads, planning
from crm.views.app import href, stack
from crm.views.base import PAGES, Page, told
from crm.views.listing import Titles, due_tone, local_day, short_date, shown, stage_color
from crm.views.steps import plan as set_step
from crm.views.text import about, field_json

EVENTS = 50  # events asked for at a time
RELATED = 6  # lines of a related list before "Show all"
LONG = {"long_text", "markdown", "lines"}  # shown over the whole width
APART = {"files", "file"}  # shown as a list of their own
_HOLE = re.compile(r"\{([a-z_][a-z0-9_]*)[^}]*\}", re.I)


@PAGES.add
class RecordPage(Page):
    """`?view=record&entity=account&id=12`."""

    name = "record"

    def __init__(self, app: Any, entity: str = "", id: str = "", **args: str) -> None:
        super().__init__(app, entity=entity, id=id, **args)
        if entity not in app.schema.entities or not str(id).isdigit():
            raise Missing("This is not there, or not for you.")
        self.entity = app.schema.entities[entity]
        self.id = int(id)
        self.stamp = 0
        self.read()
        self.title = self.record.title
        self.crumbs = [{"label": self.entity.plural_in(app.t), "href": href(view="list", entity=entity)}]
        logs = planning.can_log(app, self.entity)
        self.head = app.part("head", self.head_content(), on={"do": self.do})
        self.path = app.part("stages", self.stages_content(), on={"move": self.move, "tick": self.tick, "decide": self.decide}) if self.pipeline else None
        self.facts = app.part("facts", self.facts_content(), on={"save": self.save, "sheet": self.sheet})
        self.composer = app.part("composer", self.composer_content(), on={"log": self.log}) if logs else None
        self.line = app.part(
            "timeline",
            self.timeline_content(),
            on={
                "events": self.events,
                "people": self.colleagues,
                "history": self.history,
                "done": self.done,
                "postpone": self.postpone,
                "undo": self.undo,
                "plan": self.plan,
            },
        )
        self.related = app.part("related", self.related_content(), on={"add": self.add})
        self.insights = app.part("insights", insights.cards(self), on={"add": self.add}) if insights.wanted(self.entity) else None
        why = leads.reasons_content(app, entity, self.id)
        self.reasons = app.part("reasons", why) if why is not None else None
        side = stack(*(one for one in (self.reasons, self.insights, self.related) if one is not None))
        lower: Any
        if self.composer is not None:
            lower = app.grid(
                "facts compose side | facts line side",
                self.facts,
                self.composer,
                side,
                self.line,
                phone="compose facts line side",
                columns="268px minmax(0,1fr) 256px",
            )
        else:
            lower = app.grid(
                "facts line side",
                self.facts,
                self.line,
                side,
                phone="facts line side",
                columns="minmax(268px,360px) minmax(0,1fr) 256px",
            )
        self.body = stack(*(one for one in (self.head, self.path, lower) if one is not None), gap=14)

    # -- reading
    def read(self) -> None:
        self.record = self.door.get(self.entity.name, self.id)
        self.titles = Titles(self.door)
        self.titles.load_records([self.record], [key for key in self.entity.own_fields if key in self.record])
        self.shown = shown(self.app, self.titles)
        self.shown.record = self.record
        self.may_change = self.door.may("change", self.entity.name, self.record)
        self.overruled = self.door.overruled(self.entity.name, self.id)  # what formulas give for fields that somebody set otherwise
        self.writable = self.door.writable(self.entity.name, self.record) if self.may_change else frozenset()
        self.pipeline: Any = (
            self.app.schema.pipeline_of(self.entity.name, self.record)
            if self.entity.stage_field and self.entity.stage_field in self.record
            else None
        )

    def refresh(self) -> None:
        """Read again and patch the parts; what is half typed in them stays."""
        try:
            self.read()
        except (Missing, Denied):
            return self.app.show()
        if (self.path is None) != (self.pipeline is None):
            return self.app.show()
        self.title = self.record.title
        self.head.content = self.head_content()
        if self.path is not None:
            self.path.content = self.stages_content()
        self.facts.content = self.facts_content()
        if self.reasons is not None:
            self.reasons.content = leads.reasons_content(self.app, self.entity.name, self.id) or self.reasons.content
        if self.composer is not None:
            self.composer.content = self.composer_content()
        self.line.content = self.timeline_content()
        self.related.content = self.related_content()
        if self.insights is not None:
            self.insights.content = insights.cards(self)
        return None

    def changed(self, words: str, step: Any) -> None:
        """After a change: read again, say it, offer to take it back."""
        self.refresh()
        self.app.redraw_frame()
        self.app.say(words, undo=getattr(step, "id", step))

    # -- head
    def head_content(self) -> dict[str, Any]:
        t, record, entity = self.t, self.record, self.entity
        badges = []
        amount = entity.role("amount", record) if entity.pipelines else None
        if amount and record.get(amount) is not None:
            badges.append({"text": entity.fields[amount].display(record[amount], self.shown), "tone": "tint"})
        badges += [{"text": kind.label_in(t), "tone": "tint"} for kind in entity.kinds_of(record)[:2]]
        owner = entity.role("owner", record)
        owner_name = self.titles(entity.fields[owner].to, record[owner]) if owner and record.get(owner) is not None else None
        acts = []
        if planning.can_log(self.app, entity):
            acts = [{**one, "name": f"kind:{one['name']}"} for one in planning.kinds(self.app)[:4]]
        more = [{**one, "name": f"kind:{one['name']}"} for one in planning.kinds(self.app)[4:]] if acts else []
        acts = [*acting.offered(self.app, entity.name, "head", record), *acts]
        more += acting.offered(self.app, entity.name, "record", record)
        if self.may_change:
            more.append(
                {"name": "edit", "label": t("Edit all"), "glyph": "edit", "href": href(view="form", entity=entity.name, id=self.id)}
            )
        if self.door.may("delete", entity.name, record):
            more.append({"name": "delete", "label": t("Delete"), "glyph": "delete", "tone": "late"})
        return {
            "glyph": entity.icon,
            "title": record.title,
            "sub": self.subtitle(),
            "owner": owner_name,
            "badges": badges,
            "acts": acts,
            "more": more,
        }

    def subtitle(self) -> list[dict]:
        """The pieces of the entity's subtitle, links as links."""
        found = []
        for key in _HOLE.findall(self.entity.subtitle or ""):
            field, value = self.entity.fields.get(key), self.record.get(key)
            if field is None or value is None:
                continue
            text = field.display(value, self.shown)
            if text:
                found.append(
                    {
                        "text": text,
                        "href": href(view="record", entity=field.to, id=value)
                        if getattr(field, "to", None) and isinstance(value, int)
                        else None,
                    }
                )
        return found

    def do(self, name: str) -> None:
        if name.startswith("kind:") and self.composer is not None:
            return self.composer.send("kind", kind=name[5:])
        if name.startswith(acting.PREFIX):
            return acting.act(self.app, self.entity.name, name, [self.id], self.changed)
        if name == "delete":
            with self.door.step("delete") as step:
                self.door.delete(self.entity.name, self.id)
            self.app.go(view="list", entity=self.entity.name)
            self.app.say(self.t("{title} deleted", title=self.record.title), undo=step.id)
        return None

    # -- stages
    def stages_content(self) -> dict[str, Any]:
        t, record, pipeline = self.t, self.record, self.pipeline
        now = record.get(self.entity.stage_field)
        stage = pipeline.stages.get(now or "")
        entered = local_day(t, record.get("stage_on"))
        spent = gates.days_in(self.door, self.entity.name, self.id)
        stages = [
            {
                "name": one.key,
                "label": one.label_in(t),
                "outcome": one.outcome,
                "side": one.outcome == "lost",
                "spent": t("{n} d", n=round(spent[one.key])) if one.open and one.key != now and spent.get(one.key, 0) >= 0.5 else "",
                "over": bool(one.days and spent.get(one.key, 0) > one.days),
            }
            for one in pipeline.stages.values()
        ]
        may = self.may_change and self.entity.stage_field in self.writable
        return {
            "stages": stages,
            "now": now,
            "days": (t.today() - entered).days if entered else None,
            "expected": stage.days if stage else None,
            "gate": self.next_gate(stage),
            "todo": gating.checklist(self.app, self.entity, record, pipeline, stage) if stage and stage.open else [],
            "guide": " ".join(one for one in (stage.guide_in(t), stage.help_in(t)) if one) if stage else "",
            "who": approvals.named(self.app.schema, stage.responsible, t) if stage else "",
            "approvals": gating.standing(self.app, self.entity, record),
            "map": href(view="process", pipeline=pipeline.name),
            "may": may,
        }

    def next_gate(self, stage: Any) -> dict | None:
        """What the next stage on the straight way still wants, as editors."""
        if stage is None or not stage.open or not self.may_change:
            return None
        coming = self.pipeline.next_open(stage.key)
        if coming is None:
            return None
        try:
            missing, problems = self.door.gate(self.entity.name, self.id, coming)
        except (Denied, Refused):
            return None
        target = self.pipeline.stages[coming]
        return self.gate(target, gating.gate_fields(self.app, self.entity, self.record, target, missing, problems)) if missing else None

    def gate(self, target: Any, fields: list[dict]) -> dict:
        asks = [one["field"] for one in fields if one["editor"].get("type") != "fixed"]
        return {
            "stage": target.key,
            "label": target.label_in(self.t),
            "fields": fields,
            "ask": bool(asks) and all(one.startswith(gating.ASK) for one in asks),
            "shut": not asks,
        }

    def move(self, stage: str, values: dict | None = None) -> dict:
        target = self.pipeline.stages.get(stage)
        if target is None:
            raise Missing("This is not there, or not for you.")
        made = gating.Move(self.app, self.entity, self.id, target, values)
        if made.made is None:
            if made.asked:
                self.refresh()
            return {"gate": self.gate(target, made.fields), "problems": made.problems, "say": made.asked or made.say}
        words = self.t("{title} is now in {stage}", title=self.record.title, stage=target.label_in(self.t))
        self.changed(words, made.step)
        return {"say": words, "joy": target.outcome == "won"}

    def tick(self, line: str, on: bool) -> dict:
        """A line of the checklist, done or not."""
        with self.door.step("tick") as step:
            self.door.tick(self.entity.name, self.id, line, on)
        self.changed(self.t("Ticked") if on else self.t("Tick taken away"), step)
        return {}

    def decide(self, id: int, act: str) -> dict:
        """Grant, refuse or hand on the approval that waits here."""
        roles = self.app.schema.approvals
        if roles is None or act not in ("approve", "refuse", "hand_on"):
            raise Missing("This is not there, or not for you.")
        acting.act(self.app, roles.entity, acting.PREFIX + act, [int(id)], self.changed)
        return {}

    # -- facts
    def groups(self) -> list[tuple[str, list[str]]]:
        """The left column: the YAML's `facts`, else its form, else all fields."""
        entity, record = self.entity, self.record
        if entity.facts:
            return list(entity.facts.items())
        if entity.form or entity.kinds:
            return [(group, [key for row in rows for key in row]) for group, rows in entity.form_of(record).items()]
        return [(entity.label_in(self.t), list(entity.own_fields))]

    def facts_content(self) -> dict[str, Any]:
        entity, record, t = self.entity, self.record, self.t
        of_kind = set(entity.fields_of(record))
        env: Any = None
        found = []
        for label, keys in self.groups():
            facts = []
            for key in keys:
                if key not in record or key not in of_kind or key == entity.stage_field:
                    continue
                field = entity.fields[key]
                if field.show is not None and hasattr(field.show, "evaluate"):
                    env = env or self.app.company.env(entity.name, self.id, record.stored, self.app.actor)
                    if not field.show.evaluate(env):
                        continue
                fact = self.fact(field, record.get(key))
                if fact["show"] or not fact["fixed"]:
                    facts.append(fact)
            if facts:
                found.append(
                    {"label": t.label(f"{entity.path}.facts.{label}", "") or t.label(f"{entity.path}.form.{label}", label), "facts": facts}
                )
        return {"groups": found, "edit": href(view="form", entity=entity.name, id=self.id) if self.may_change else None}

    def fact(self, field: Any, value: Any) -> dict[str, Any]:
        text = "" if value is None else str(field.display(value, self.shown))
        fixed = field.key not in self.writable or field.fixed
        why = classes.why(self.door, self.entity.name, self.id, field.key)
        fact: dict[str, Any] = {
            "field": field.key,
            "label": field.label_in(self.t),
            "help": " ".join(one for one in (field.help_in(self.t), why) if one) or None,
            "show": text,
            "fixed": fixed,
            "long": field.name in LONG and len(text) > 26,
        }
        cell = field.cell(value, self.shown) if value is not None else None
        if isinstance(cell, dict):
            fact["tone"] = cell.get("tone")
            link = cell.get("href")
            if any(name in cell for name in ("stage", "who", "list", "swatch")) or cell.get("color"):
                fact["cell"] = (
                    {**cell, "named": True}
                    if "color" not in cell
                    else {"stage": cell.get("text") or cell.get("stage"), "color": cell["color"]}
                )
            if link:
                fact["href"] = link
        stands = insights.promise(self.app, self.entity, self.record, field.key)
        if stands is not None:
            fact["show"], fact["tone"] = f"{stands['text']} · {text}", stands["tone"]
        if getattr(field, "to", None) and isinstance(value, int) and text and field.to in self.app.schema.entities:
            fact["href"] = href(view="record", entity=field.to, id=value)
        if field.name in ("files", "file") and value:
            fact["files"] = [
                {"name": one["name"], "href": f"/files/{self.entity.name}/{self.id}/{field.key}/{number}"}
                for number, one in enumerate(value if isinstance(value, list) else [value])
            ]
        if not fixed and field.key in self.overruled:
            fact["would"] = self.t("Worked out: {value}", value=field.display(self.overruled[field.key], self.shown))
        if not fixed:
            if field.name == "lines" or (field.name == "links" and getattr(field, "columns", None)):
                fact["sheet"] = True  # a table, or links that say what each is: they want more room than a column
            else:
                fact["editor"] = field.editor(value, self.shown)
        return fact

    def sheet(self, field: str) -> None:
        """The editor of a wide value over the page."""
        if field not in self.writable:
            raise Denied("You may not change this.")
        one = self.entity.fields[field]

        def keep(values: dict) -> dict | None:
            answer = self.save(field, values.get(field))
            return {"problems": {field: answer["error"]}} if answer.get("error") else None

        asked = about(field_json(one, self.record.get(field), self.shown), self.record)
        self.app.sheet(f"{self.record.title}: {one.label_in(self.t)}", [asked], on_submit=keep, icon=self.entity.icon, wide=True)

    def save(self, field: str, value: Any) -> dict:
        if field not in self.writable:
            raise Denied("You may not change this.")
        try:
            with self.door.step("change") as step:
                self.door.change(self.entity.name, self.id, {field: value}, expect=self.record.version)
        except Conflict as exc:
            self.refresh()
            return told(exc, self.t)
        except RecordError as exc:
            answer = told(exc, self.t)
            problems = answer.get("problems") or {}
            return {"error": problems.get(field) or next(iter(problems.values()), None) or answer["error"]}
        self.changed(self.t("{label} saved", label=self.entity.fields[field].label_in(self.t)), step)
        return {}

    # -- composer
    def composer_content(self) -> dict[str, Any]:
        return planning.composer_content(self.app, self.record)

    def log(self, **said: Any) -> dict:
        answer = planning.keep(self.app, self.record, said)
        if "step" in answer:
            self.changed(self.t("Saved"), answer.pop("step"))
            answer["say"] = self.t("Saved")
        return answer

    # -- timeline
    def timeline_content(self) -> dict[str, Any]:
        self.stamp += 1
        first = self.events()
        content = {
            "stamp": self.stamp,
            "kinds": self.event_kinds(),
            "events": first["events"],
            "next": first["next"],
            "planned": self.planned_content(),
            "history": True,
            "below": self.below_words(),
            "missing": None,
        }
        if content["planned"] is None and self.entity.role("next") in self.record and agenda.is_open(self.door, self.record):
            content["missing"] = self.t("No next step")
            content["missinghelp"] = self.t("An open one without a next step goes nowhere.")
            content["may"] = self.entity.role("next") in self.writable
            content["compose"] = self.composer_wanted()
        return content

    def composer_wanted(self) -> bool:
        return planning.can_log(self.app, self.entity)

    def planned_content(self) -> dict | None:
        t, roles = self.t, self.app.schema.activities
        activity = planning.planned(self.app, self.record)
        if activity is not None:
            due = activity.get(roles.due)
            day = local_day(t, due)
            kind = activity.get(roles.kind) if roles.kind else None
            owner = activity.get(roles.owner) if roles.owner else None
            people = [self.titles(self.app.schema.entities[roles.entity].fields[roles.owner].to, owner)] if owner else []
            return {
                "key": f"{roles.entity}-{activity.id}",
                "glyph": roles.kinds.get(kind) or "event",
                "title": activity.title,
                "sub": ", ".join(filter(None, [self.day_words(due), *people])),
                "tone": "late" if due_tone(t, day) == "late" else "",
                "href": href(view="record", entity=roles.entity, id=activity.id),
                "may": self.door.may("change", roles.entity, activity),
            }
        key, words = planning.next_keys(self.app, self.entity, self.record)
        value = self.record.get(key) if key else None
        if value is None or not agenda.is_open(self.door, self.record):
            return None
        day = local_day(t, value)
        return {
            "key": f"{self.entity.name}-{self.id}",
            "glyph": "event",
            "title": (self.record.get(words) if words else None) or t("Next step"),
            "sub": self.day_words(value),
            "tone": "late" if due_tone(t, day) == "late" else "",
            "may": self.may_change,
        }

    def day_words(self, value: Any) -> str:
        t = self.t
        day = local_day(t, value)
        if day is None:
            return ""
        words = short_date(t, day) if abs((day - t.today()).days) < 2 else t.date(day, "EEEE d MMMM")
        if isinstance(value, datetime):
            clock = t.local(value)
            if clock.hour or clock.minute:
                words = f"{words}, {t.time(value)}"
        return words

    def event_kinds(self) -> list[dict]:
        """The kinds to filter by, as far as they can occur here."""
        return [{"name": kind, "label": label} for kind, label in self.door.timeline_kinds(self.entity.name).items()]

    def events(
        self, kinds: Sequence[str] = (), find: str = "", before: Any = None, who: Any = None, since: str = "", until: str = "", below: bool = False
    ) -> dict:
        """A page of events, newest first: {"events", "next", "said"}; `said` is what was understood of the days typed."""
        days: dict[str, Any] = {}
        for key, typed in (("since", since), ("until", until)):
            try:
                days[key] = self.t.parse_date(typed) if typed.strip() else None
            except Refused as exc:
                return {"error": exc.say(self.t), "wrong": key}
        found = self.door.timeline(
            self.entity.name, self.id, kinds=list(kinds) or None, find=find, before=before, limit=EVENTS, who=int(who) if who else None, below=below, **days
        )
        cursor = found[-1].key if len(found) >= EVENTS else None
        said = " – ".join(self.t.date(day) if day else "…" for day in days.values()) if any(days.values()) else ""
        return {"events": [self.event(one) for one in found], "next": cursor, "said": said}

    def colleagues(self, below: bool = False) -> dict:
        """Who did something here, for the filter."""
        return {"people": [[number, name] for number, name in self.door.timeline_people(self.entity.name, self.id, below=below).items()]}

    def below_words(self) -> str | None:
        """The switch that takes in what belongs to this record (its daughters), None where nothing does."""
        key = above(self.entity)
        if key is None or len(self.door.family(self.entity.name, self.id, most=2)) < 2:
            return None
        name = next((name for name, (other, link) in self.entity.back.items() if other == self.entity.name and link == key), "")
        return self.t("With: {what}", what=self.t.label(f"{self.entity.path}.back.{name}", humanised(name)) if name else self.entity.plural_in(self.t))

    def event(self, event: Any) -> dict[str, Any]:
        t = self.t
        on = event.on
        spec = self.app.schema.entities[event.entity].timeline if event.kind != "stage" else None
        dated = spec is not None and self.app.schema.entities[event.entity].fields[spec.on].kind == "date"
        day = on.date() if dated else local_day(t, on)
        today = t.today()
        label = (
            ""
            if day is None
            else short_date(t, day, today)
            if abs((day - today).days) < 2
            else t.date(day, "d MMMM" if day.year == today.year else "d MMMM y")
        )
        open_step = event.done is False
        tone = "tint" if open_step else "good" if event.result or event.kind == "stage" else ""
        if open_step and day is not None and day < today:
            tone = "late"
        return {
            "key": str(event.key),
            "kind": event.kind,
            "glyph": event.icon or "history",
            "title": event.title,
            "text": event.text or "",
            "about": event.about or None,
            "result": t("Planned") if open_step else event.result or None,
            "who": event.who or "",
            "when": "" if dated or not isinstance(on, datetime) else t.time(on),
            "iso": on.isoformat() if on else "",
            "exact": label if dated or not isinstance(on, datetime) else t.datetime(on),
            "day": label,
            "tone": tone,
            "href": href(view="record", entity=event.entity, id=event.id)
            if (event.entity, event.id) != (self.entity.name, self.id) and event.entity
            else None,
        }

    def done(self, key: str) -> dict:
        from crm.views.steps import done

        entity, _, number = key.rpartition("-")
        done(self.app, entity, int(number))
        self.refresh()
        return {"say": self.t("Done")}

    def postpone(self, key: str, to: str) -> dict:
        from crm.views.steps import postpone

        entity, _, number = key.rpartition("-")
        postpone(self.app, entity, int(number), "+1w" if to == "+1w" else to)
        self.refresh()
        return {}

    def plan(self, to: str = "") -> None:
        """Opens the composer at what comes next; with a day, sets the next step at once."""
        if to:
            set_step(self.app, self.entity.name, self.id, to)
            self.refresh()
            return self.app.redraw_frame()
        if self.composer is not None:
            self.composer.send("kind", kind=self.composer.content["kind"], focus="[data-act=next]")
        return None

    # -- history (H5)
    def history(self) -> dict:
        """Every change of every field: who, when, from, to, by step."""
        t = self.t
        steps: dict[Any, dict] = {}
        for change in self.door.history(self.entity.name, self.id):
            step = steps.setdefault(
                change.step,
                {
                    "key": f"h{change.step}",
                    "step": change.step,
                    "who": change.who or "",
                    "iso": change.at.isoformat(),
                    "exact": t.datetime(change.at),
                    "when": self.moment_words(change.at),
                    "title": self.act_words(change.act),
                    "glyph": {"create": "add", "delete": "delete", "restore": "undo"}.get(change.act, "edit"),
                    "act": change.act,
                    "changes": [],
                },
            )
            if change.field:
                step["changes"].append(
                    {
                        "label": change.label or change.field,
                        "old": self.said(change.field, change.old),
                        "new": self.said(change.field, change.new),
                    }
                )
        found = list(steps.values())
        for one in found:
            one["undo"] = self.may_change and one["act"] in ("change", "restore", "create") and bool(one["step"])
            if one["act"] == "create":
                one["undo"] = False
        return {"steps": found}

    def said(self, key: str, value: Any) -> str:
        """A value of the past in words."""
        field = self.entity.fields.get(key)
        if value in (None, "", [], {}):
            return ""
        if key == self.entity.stage_field and self.pipeline and value in self.pipeline.stages:
            return self.pipeline.stages[value].label_in(self.t)
        return str(field.display(value, self.shown)) if field is not None else str(value)

    def moment_words(self, moment: datetime) -> str:
        day = local_day(self.t, moment)
        return f"{short_date(self.t, day)}, {self.t.time(moment)}" if day else ""

    def act_words(self, act: str) -> str:
        t = self.t
        return {
            "create": t("Created"),
            "change": t("Changed"),
            "delete": t("Deleted"),
            "restore": t("Restored"),
            "derived": t("Recalculated"),
        }.get(act, t("Changed"))

    def undo(self, step: int) -> dict:
        answer = self.app.undo(step)
        self.app.say(answer.get("say", ""))
        return {}

    # -- related
    def related_content(self) -> dict[str, Any]:
        roles = self.app.schema.activities
        names = self.entity.related or list(self.entity.back)
        found: list[dict | None] = []
        merged: set[str] = set()
        for name in names:
            if name in merged:
                continue
            if name in self.entity.back:
                other, key = self.entity.back[name]
                if (
                    (self.composer_wanted() and roles and other == roles.entity and not self.entity.name == roles.entity)
                    or not self.door.may("see", other)
                    or key not in self.door.readable(other)
                ):
                    continue
                both = insights.ends(self, self.app.schema.entities[other])
                if both:  # a relation is told once, from whichever end it is seen
                    merged.update(both)
                    found.append(insights.relations(self, name, self.app.schema.entities[other], RELATED))
                else:
                    found.append(self.back_list(name, other, key))
            elif name in self.record and getattr(self.entity.fields[name], "to", None):
                found.append(self.own_list(name))
        return {"lists": [one for one in found if one]}

    def back_list(self, name: str, other: str, key: str) -> dict | None:
        t, entity = self.t, self.app.schema.entities[other]
        try:
            records, count = self.door.back(self.entity.name, self.id, name, limit=RELATED)
        except (Denied, Missing, Refused):
            return None
        many = entity.fields[key].name == "links"
        may = self.door.may("create", other)
        if not records and not may:
            return None
        label = self.app.schema.texts.get(f"{self.entity.path}.back.{name}") or humanised(name)
        label = entity.plural_in(t) if label.casefold() == entity.plural.casefold() else t.label(f"{self.entity.path}.back.{name}", label)
        keys = [one for one in (entity.role("amount"), entity.stage_field, *entity.own_fields) if one]
        self.titles.load_records(records, [one for one in keys if one in entity.fields])
        return {
            "name": name,
            "label": label,
            "glyph": entity.icon,
            "count": count,
            "items": [self.related_item(entity, one, key, many) for one in records],
            "all": href(view="list", entity=other, f=f"{key}:is:{self.id}") if count > RELATED else None,
            "may": may,
        }

    def related_item(self, entity: Any, record: Any, key: str, many: bool) -> dict:
        """One line: title, what it is, and at the end its amount, role or day."""
        end, tone = "", ""
        if many:
            me = next((one for one in record.get(key) or [] if isinstance(one, dict) and one.get("id") == self.id), None)
            end = self.attribute_words(entity.fields[key], me) if me else ""
        amount = (
            entity.role("amount", record)
            if entity.pipelines
            else next((name for name, one in entity.own_fields.items() if one.kind == "money" and name in record), None)
        )
        if not end and amount and record.get(amount) is not None:
            end = self.t.money_short(record[amount], getattr(entity.fields[amount], "currency", "") or "")
        stage = self.app.schema.stage_of(entity.name, record) if entity.stage_field and entity.stage_field in record else None
        sub = stage.label_in(self.t) if stage else self.subtitle_without(entity, record, key)
        if stage is not None and stage.outcome:
            tone = {"won": "good", "lost": "none"}[stage.outcome]
        return {
            "key": f"{entity.name}-{record.id}",
            "title": record.title,
            "sub": sub,
            "end": end,
            "tone": tone,
            "face": self.face(entity, record.title),
            "href": href(view="record", entity=entity.name, id=record.id),
        }

    def subtitle_without(self, entity: Any, record: Any, key: str) -> str:
        """The subtitle without what it shares with this page: the link back here."""
        parts = []
        for hole in _HOLE.findall(entity.subtitle or ""):
            value = record.get(hole)
            if hole == key or value is None or (getattr(entity.fields[hole], "to", None) == self.entity.name and value == self.id):
                continue
            parts.append(entity.fields[hole].display(value, self.shown))
        if not parts:
            day = next(
                (
                    record[name]
                    for name, one in entity.own_fields.items()
                    if one.kind in ("date", "datetime") and name in record and record.get(name) is not None
                ),
                None,
            )
            local = local_day(self.t, day)
            parts = [short_date(self.t, local)] if local is not None else []
        return " · ".join(one for one in parts if one)

    def face(self, entity: Any, title: str) -> str:
        """The names whose initials stand for a person (the last two: forms of address come first), empty for things."""
        return " ".join(title.split()[-2:]) if self.is_person(entity) else ""

    def is_person(self, entity: Any) -> bool:
        """Whether the records are people: their title is a name of a person, or they have an e-mail and belong to something else."""
        users = self.app.schema.users
        return any(one.name in ("name", "person_name") for one in entity.own_fields.values()) or bool(users and users.entity == entity.name)

    def attribute_words(self, field: Any, value: dict) -> str:
        """What a link carries beside its target (the role of a person), in words."""
        words = []
        columns = getattr(field, "columns", None) or getattr(field, "attributes", None) or {}
        for name, column in columns.items():
            if value.get(name) is not None and hasattr(column, "display"):
                words.append(column.display(value[name], self.shown))
        return ", ".join(words)

    def own_list(self, name: str) -> dict | None:
        """The records this one links to, with the role each has."""
        field = self.entity.fields[name]
        other = self.app.schema.entities[field.to]
        values = self.record.get(name) or []
        values = values if isinstance(values, list) else [values]
        items = []
        for value in values[:RELATED]:
            number = value.get("id") if isinstance(value, dict) else value
            title = self.titles(field.to, number) if isinstance(number, int) else None
            if title:
                end = self.attribute_words(field, value) if isinstance(value, dict) else ""
                items.append(
                    {
                        "key": f"{field.to}-{number}",
                        "title": title,
                        "sub": "",
                        "end": end,
                        "tone": "",
                        "face": self.face(other, title),
                        "href": href(view="record", entity=field.to, id=number),
                    }
                )
        may = name in self.writable
        if not items and not may:
            return None
        return {
            "name": name,
            "label": field.label_in(self.t),
            "glyph": other.icon,
            "count": len(values),
            "items": items,
            "all": None,
            "may": may,
        }

    def add(self, name: str) -> None:
        if name in self.entity.back:
            other, key = self.entity.back[name]
            field = self.app.schema.entities[other].fields[key]
            value: Any = [{"id": self.id}] if field.name == "links" else self.id
            values = {key: value}
            for mine, own in self.entity.own_fields.items():  # what both link to is the same: a deal's customer is its offer's
                there = next(
                    (
                        one
                        for one, f in self.app.schema.entities[other].own_fields.items()
                        if one != key and f.name == "link" and getattr(f, "to", None) == getattr(own, "to", 0)
                    ),
                    None,
                )
                if there and own.name == "link" and isinstance(self.record.get(mine), int) and not self.is_user(own.to):
                    values.setdefault(there, self.record[mine])
            return self.app.quick_add(other, values)
        if name in self.writable:
            field = self.entity.fields[name]

            def keep(values: dict) -> dict | None:
                answer = self.save(name, values.get(name))
                return {"problems": {name: answer["error"]}} if answer.get("error") else None

            self.app.sheet(
                field.label_in(self.t),
                [{"field": name, "label": field.label_in(self.t), "editor": field.editor(self.record.get(name), self.shown)}],
                on_submit=keep,
                icon=self.app.schema.entities[field.to].icon,
                wide=True,
            )
        return None

    def is_user(self, entity: str) -> bool:
        users = self.app.schema.users
        return bool(users and users.entity == entity)


def humanised(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


__all__ = ["RecordPage", "stage_color"]
