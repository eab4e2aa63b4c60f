"""Home: the day of whoever signed in. Which cards, says the dashboard named by the role; what they hold, the schema's roles."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import panel as pn
from tinydb import where

from crm.analytics import own
from crm.errors import ConfigError, Denied, Missing, RecordError, Refused
from crm.records import goals
from crm.views.base import PAGES, Page, told
from crm.views.insights import ordered_by
from crm.views.owncards import off
from crm.views.steps import done, plan, postpone, quiet, steps
from crm.views.text import day_text, subtitle, today_of
from crm.views.waiting import waiting_list

log = logging.getLogger("crm.views")


@PAGES.add
class HomePage(Page):
    """The role's dashboard with today's steps first; without one, today, the own pipeline and what went quiet."""

    name = "home"
    drawings = True

    def __init__(self, app: Any, **args: str) -> None:
        super().__init__(app, **args)
        self.title = app.t("Home")
        role = app.schema.roles.get(app.actor.role)
        board = app.schema.dashboards.get(role.home) if role and role.home else None
        cards = [card for row in board.rows for card in row] if board else []
        self.today = app.part("today", today_content(app), on={"done": self.done, "postpone": self.postpone, "log": self.log, "plan": self.plan})
        has_day = not cards or any(card.kind == "part" and card.name == "today" for card in cards)
        if has_day:
            self.body = app.grid("day side", self.today, app.stack(*self._side(cards), gap=22), columns="minmax(0,1fr) 340px", gap="16px 36px")
        else:
            self.body = app.stack(self._hello(), self._rows(board), gap=18)

    # -- the two shapes ------------------------------------------------------------------------------------------------------------------
    def _side(self, cards: list[Any]) -> list[Any]:
        """Beside today: the pipeline, the other cards of the dashboard, what went quiet."""
        made = []
        boards = [card.name for card in cards if card.kind == "board"] or ([] if cards else list(self.app.schema.pipelines)[:1])
        for name in boards:
            made += self._safe(lambda name=name: pipeline_bars(self.app, name, own=True))
        made += self._safe(lambda: goal_bars(self.app))
        lists = []
        for card in cards:
            if card.kind == "list":
                lists += self._safe(lambda card=card: list_of(self.app, card))
        lists = [*self._safe(lambda: waiting_list(self.app)), *lists]
        if lists:
            made.append(self.app.part("related", {"lists": lists}, on={"add": self.app.quick_add}))
        for card in cards:
            if card.kind in ("report", "kpi"):
                made.append(self._late(card))
        return made + [self._late(one) for one in own.cards(self.app.door, "")]

    def _rows(self, board: Any) -> Any:
        """The dashboard's own rows in twelve columns, as the dashboard page shows them; charts come after the first look."""
        t, children = self.app.t, []
        for row in board.rows:
            for card in row:
                span = card.width or max(3, 12 // len(row))
                if card.kind in ("report", "kpi"):
                    made = self._late(card)
                elif card.kind == "list":
                    made = self.app.part("related", {"lists": self._safe(lambda card=card: list_of(self.app, card))}, on={"add": self.app.quick_add})
                elif card.kind == "board":
                    made = next(iter(self._safe(lambda card=card: pipeline_bars(self.app, card.name))), None)
                else:
                    continue
                if made is not None:
                    made.styles = {**made.styles, "grid-column": f"span {span}"}
                    children.append(made)
        for made in self._safe(lambda: goal_bars(self.app, own=False)):
            made.styles = {"grid-column": "span 12"}
            children.insert(0, made)
        for one in self._safe(lambda: waiting_list(self.app)):
            made = self.app.part("related", {"lists": [one]})
            made.styles = {"grid-column": "span 12"}
            children.insert(0, made)
        extra = [*self._safe(lambda: moved_list(self.app)), *self._safe(lambda: risk_list(self.app))]
        if extra:
            for one in extra:
                part = self.app.part("related", {"lists": [one]})
                part.styles = {"grid-column": "span 6"}
                children.append(part)
        for one in own.cards(self.app.door, ""):
            made = self._late(one)
            made.styles = {"grid-column": f"span {one.width or 6}"}
            children.append(made)
        if not children:
            return self.app.part("trouble", {"glyph": "home", "title": t("Home"), "text": t("Nothing is planned for this page yet."), "note": ""})
        css = (":host{display:grid!important;grid-template-columns:repeat(12,minmax(0,1fr));gap:20px 24px;align-items:stretch}"
               "@media(max-width:1000px){:host{display:flex!important;flex-direction:column}:host>*{width:100%!important}}")
        return pn.Column(*children, stylesheets=[css], sizing_mode="stretch_width", margin=0)

    def _hello(self) -> Any:
        content = today_content(self.app)
        return self.app.part("today", {**content, "none": "", "sections": [s for s in content["sections"] if s["key"] in ("late", "today", "met", "none")]},
                             on={"done": self.done, "postpone": self.postpone, "log": self.log, "plan": self.plan})

    def _late(self, card: Any) -> Any:
        """The place of a report's card, which is made when it is seen: charts take longer than lists."""
        from crm.views.cards import awaited, report_card, room
        kept = isinstance(card, own.OwnCard)
        report = self.app.schema.reports.get(card.name) or getattr(self.app.schema.kpis.get(card.name), "report", None)
        title = card.title if kept else report.label_in(self.app.t) if report else ""
        return awaited(self.app, title, lambda: report_card(self.app, card.name, height=220, title=card.title if kept else "",
                                                            act=off(self.app, card) if kept else None), room(self.app, report) if report else 60)

    def _safe(self, make: Any) -> list[Any]:
        """One card that fails does not take the page with it."""
        try:
            made = make()
        except (Denied, Missing, Refused, RecordError, ConfigError):
            return []
        except Exception as exc:
            self.app.say(told(exc, self.app.t)["error"], tone="bad")
            return []
        return [] if made is None else [made]

    # -- acts ----------------------------------------------------------------------------------------------------------------------------
    def done(self, entity: str, id: int) -> dict:
        answer = done(self.app, entity, int(id))
        self._again()
        return answer

    def postpone(self, entity: str, id: int, to: str) -> dict:
        answer = postpone(self.app, entity, int(id), to)
        self._again()
        return answer

    def plan(self, entity: str, id: int, to: str) -> dict:
        answer = plan(self.app, entity, int(id), to)
        self._again()
        return answer

    def log(self, entity: str, id: int) -> None:
        """What happened with a step, and what comes next, without leaving the day."""
        self.app.boxes.log(entity, int(id))

    def _again(self) -> None:
        content = today_content(self.app)
        if content != self.today.content:
            self.today.content = content
        self.app.redraw_frame()


def today_content(app: Any) -> dict:
    """The sections of the day: overdue, due today, meetings, tomorrow."""
    t, today = app.t, today_of(app.t)
    now = datetime.now(t.tz)
    lines: dict[str, list[dict]] = {"late": [], "today": [], "met": [], "tomorrow": []}
    try:
        found = steps(app, until=today + timedelta(days=1))
    except (Denied, Missing):
        found = []
    for step in found:
        timed = isinstance(step["when"], datetime) and step["when"].astimezone(t.tz).time().replace(second=0, microsecond=0) != time(0, 0)
        words, tone = day_text(step["when"] if step["day"] >= today else step["day"], today, t)
        where_to = "late" if step["day"] < today else "tomorrow" if step["day"] > today else "met" if timed and step["glyph"] in MEETING else "today"
        if where_to == "tomorrow":
            words = words.replace(t("Tomorrow"), "").strip() or t("Tomorrow")
        lines[where_to].append({"key": step["key"], "entity": step["entity"], "id": step["id"], "title": step["title"], "sub": step["sub"], "glyph": step["glyph"],
                                "when": words, "tone": tone if where_to != "today" else "", "amount": step["amount"], "href": step["href"]})
    labels = {"late": (t("Overdue"), "late"), "today": (t("Due today"), ""), "met": (t("Meetings"), ""), "tomorrow": (t("Tomorrow"), "")}
    sections = [{"key": key, "label": labels[key][0], "tone": labels[key][1], "items": items} for key, items in lines.items() if items]
    items, count = quiet(app, 30)
    if count:
        sections.append({"key": "none", "label": t("Without a next step"), "tone": "late", "count": count,
                         "items": [{**item, "when": item["end"], "amount": "", "plan": True} for item in items]})
    first = app.actor.name.split()[0] if app.actor.name else ""
    hello = t("Good morning, {name}", name=first) if now.hour < 12 else t("Good afternoon, {name}", name=first) if now.hour < 18 else t("Good evening, {name}", name=first)
    said = [part for part in (_some(t, len(lines["late"]), "late"), _some(t, len(lines["today"]), "today"), _some(t, len(lines["met"]), "met")) if part]
    return {"title": hello, "note": f"{long_day(t, today)}. {', '.join(said)}" + ("." if said else ""), "sections": sections, **idle(app, bool(sections))}


def idle(app: Any, busy: bool) -> dict:
    """What stands where no step is: that all is done, or in a new company where to begin."""
    t, door = app.t, app.door
    names = [] if busy else [name for name in dict.fromkeys(one.entity for one in app.schema.pipelines.values()) if door.may("see", name)]
    if not names or any(door.list(name, limit=1) for name in names):
        return {"none": t("All done. Nothing is waiting for you today.")}
    found = [app.schema.entities[name] for name in names if door.may("create", name)]
    first = [{"label": t("New: {what}", what=one.label_in(t)), "glyph": one.icon, "href": app.href(view="form", entity=one.name)} for one in found]
    return {"none": t("Nothing is here yet. What you enter, and what is to be done next with it, will stand on this page."), "first": first}


MEETING = {"groups", "videocam", "directions_car", "event", "handshake", "people", "meeting_room", "co_present", "local_cafe"}


def long_day(t: Any, day: Any) -> str:
    """`Saturday, November 21, 2026` as the language writes it."""
    from babel.dates import format_date
    text = format_date(day, "full", locale=t.locale)
    return text[:1].upper() + text[1:]


def _some(t: Any, n: int, what: str) -> str:
    if not n:
        return ""
    if what == "late":
        return t("{n} late", n=n)
    return t("{n} due today", n=n) if what == "today" else (t("1 meeting") if n == 1 else t("{n} meetings", n=n))


def _own(app: Any, pipeline: Any) -> Any:
    key = pipeline.fields.get("owner") or app.schema.entities[pipeline.entity].owner
    return where(key) == app.actor.id if key else None


def pipeline_bars(app: Any, name: str, own: bool = False) -> Any:
    """The open stages of a pipeline with count and sum, the user's own or all that may be seen; a click leads to the board."""
    t, door = app.t, app.door
    pipeline = app.schema.pipelines[name]
    entity = app.schema.entities[pipeline.entity]
    if not door.may("see", entity.name):
        return None
    stages = pipeline.open_stages()
    cond = where(entity.stage_field).one_of([stage.key for stage in stages])
    if entity.pipeline_field:
        cond &= where(entity.pipeline_field) == name
    mine = _own(app, pipeline) if own else None
    if mine is not None:
        cond &= mine
    amount = pipeline.fields.get("amount")
    amount = amount if amount in door.readable(entity.name) else None
    measures = {"n": ("count", None), **({"sum": ("sum", amount)} if amount else {})}
    rows = {row["by"][0]: row for row in door.aggregate(entity.name, by=[entity.stage_field], measures=measures, where=cond)}
    values = [(stage, rows.get(stage.key, {}).get("n", 0), rows.get(stage.key, {}).get("sum") if amount else None) for stage in stages]
    most = max([float(total or 0) if amount else n for _, n, total in values] or [0]) or 1
    bars = [{"label": stage.label_in(t), "share": round((float(total or 0) if amount else n) * 100 / most), "show": short(app, entity, amount, total) if amount else str(n),
             "sub": "", "color": stage.color or number % 5 + 1, "href": app.href(view="board", pipeline=name, **({"v": "mine"} if own and "mine" in entity.list.filters else {}))}
            for number, (stage, n, total) in enumerate(values)]
    count = sum(n for _, n, _ in values)
    everything = sum((total or 0) for _, _, total in values) if amount else 0
    note = t("{count} in all", count=t.number(count), n=count) + (f" · {short(app, entity, amount, everything)}" if amount else "")
    title = t("My pipeline") if own and len(entity.pipelines) == 1 else pipeline.label_in(t)
    return app.part("bars", {"title": title, "note": note, "bars": bars})


def short(app: Any, entity: Any, amount: str | None, value: Any) -> str:
    """Money in few letters (€ 412k) in the user's language."""
    if not amount:
        return ""
    look = getattr(app.t, "short_money", None)
    field = entity.fields[amount]
    if look:
        return look(value or 0, field.code(app.t) if hasattr(field, "code") else None)
    from babel.numbers import format_compact_currency
    currency = field.code(app.t) if hasattr(field, "code") else app.t.currency
    return format_compact_currency(value or 0, currency, locale=app.t.locale, fraction_digits=1 if abs(value or 0) >= 1_000_000 else 0)


def goal_bars(app: Any, own: bool = True) -> Any:
    """Won so far in this quarter beside what is committed: reached, committed, everything open; against a goal where the schema has one."""
    t, door, schema = app.t, app.door, app.schema
    pipeline = next((one for one in schema.pipelines.values() if one.fields.get("amount") and one.fields.get("close") and one.of_outcome("won")), None)
    if pipeline is None or not door.may("see", pipeline.entity):
        return None
    entity, amount, close = schema.entities[pipeline.entity], pipeline.fields["amount"], pipeline.fields["close"]
    if not {amount, close, entity.stage_field} <= set(door.readable(entity.name)):
        return None
    today = today_of(t)
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    after = (first + timedelta(days=95)).replace(day=1)
    field = entity.fields[close]
    inside = (where(close) >= field.to_json(first)) & (where(close) < field.to_json(after))
    mine = _own(app, pipeline) if own else None
    if mine is not None:
        inside &= mine

    def total(stages: list[str]) -> Any:
        rows = door.aggregate(entity.name, measures={"sum": ("sum", amount)}, where=inside & where(entity.stage_field).one_of(stages)) if stages else []
        return rows[0]["sum"] or 0 if rows else 0

    every = [stage for name in entity.pipelines for stage in schema.pipelines[name].stages.values()]
    won = total(list({stage.key for stage in every if stage.outcome == "won"}))
    commit = total(list({stage.key for stage in every if stage.open and stage.forecast == "commit"}))
    rest = total(list({stage.key for stage in every if stage.open}))
    goal = goals.target(door, first, after, own)
    most = float(max(won, won + commit, won + rest, goal or 0, 1))
    days = (after - today).days
    bars = [{"label": pipeline.of_outcome("won")[0].label_in(t), "share": float(won) * 100 / most, "show": short(app, entity, amount, won), "color": "good"},
            {"label": t("With commit"), "share": float(won + commit) * 100 / most, "show": short(app, entity, amount, won + commit), "color": 1},
            {"label": t("With all open"), "share": float(won + rest) * 100 / most, "show": short(app, entity, amount, won + rest), "color": 5}]
    note = t("{n} days left", n=days)
    if goal:
        for bar in bars:
            bar["mark"] = float(goal) * 100 / most
        share = t.percent(Decimal(str(won)) / goal, 0)
        note = " · ".join([t("{share} of the goal of {goal}", share=share, goal=short(app, entity, amount, goal)), note])
    return app.part("bars", {"title": t("This quarter"), "note": note, "bars": bars})


def list_of(app: Any, card: Any) -> dict | None:
    """A dashboard's list as lines: title, what it belongs to, its amount or its day."""
    t, door = app.t, app.door
    if card.name not in app.schema.entities or not door.may("see", card.name):
        return None
    entity = app.schema.entities[card.name]
    view = entity.list.filters.get(card.view) if card.view else None
    conds = [one for one in (view.where if view else None, card.where) if one is not None]
    conds = [getattr(one, "text", one) for one in conds]
    records = door.list(entity.name, where=conds or None, order=(view.sort if view else None) or entity.list.sort, limit=card.limit or 8)
    label = (card.label and card.label_in(t)) or (view.label_in(t) if view else entity.plural_in(t))
    count = door.count(entity.name, where=conds or None)
    return {"name": entity.name, "label": label, "glyph": entity.icon, "count": count, "may": door.may("create", entity.name),
            "items": [{**line(app, entity, record), **ordered_by(app, entity, view, record)} for record in records], "none": t("Nothing at the moment."),
            "all": app.href(view="list", entity=entity.name, v=card.view) if count > len(records) else ""}


def line(app: Any, entity: Any, record: Any, end: str = "", tone: str = "") -> dict:
    amount = entity.role("amount", record)
    if not end and amount and record.get(amount) is not None:
        end = entity.fields[amount].display(record[amount], app.shown)
    return {"key": f"{entity.name}-{record.id}", "title": record.title, "sub": subtitle(record, entity, app.shown), "glyph": entity.icon, "end": end, "tone": tone,
            "href": app.href(view="record", entity=entity.name, id=record.id)}


def moved_list(app: Any) -> dict | None:
    """What changed stage since Monday, the newest first, over every pipeline the user may see."""
    t, door, found = app.t, app.door, []
    today = today_of(t)
    monday = datetime.combine(today - timedelta(days=today.weekday()), time(0), tzinfo=t.tz)
    total = 0
    for name in dict.fromkeys(one.entity for one in app.schema.pipelines.values()):
        entity = app.schema.entities[name]
        if not door.may("see", name) or "stage_on" not in door.readable(name):
            continue
        cond = where("stage_on") >= entity.fields["stage_on"].to_json(_utc(monday))
        total += door.count(name, where=cond)
        for record in door.list(name, where=cond, order=["-stage_on"], limit=8):
            stage = app.schema.stage_of(name, record)
            tone = {"won": "good", "lost": "late"}.get(stage.outcome or "", "") if stage else ""
            found.append((record.get("stage_on"), line(app, entity, record, stage.label_in(t) if stage else "", tone)))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return {"label": t("Moved since Monday"), "glyph": "trending_up", "count": total, "items": [one for _, one in found[:8]], "none": t("Nothing has moved this week yet.")}


def risk_list(app: Any) -> dict | None:
    """Open things whose closing day has passed, the dearest first: deals at risk."""
    t, door = app.t, app.door
    for pipeline in app.schema.pipelines.values():
        entity, close, amount = app.schema.entities[pipeline.entity], pipeline.fields.get("close"), pipeline.fields.get("amount")
        if not close or not door.may("see", entity.name) or close not in door.readable(entity.name):
            continue
        stages = [stage.key for name in entity.pipelines for stage in app.schema.pipelines[name].open_stages()]
        cond = where(entity.stage_field).one_of(stages) & (where(close) < entity.fields[close].to_json(today_of(t)))
        records = door.list(entity.name, where=cond, order=[f"-{amount}"] if amount else [], limit=8)
        return {"label": t("At risk: the expected day has passed"), "glyph": "warning_amber", "count": door.count(entity.name, where=cond),
                "items": [line(app, entity, record) for record in records], "none": t("Nothing here. Good.")}
    return None


def _utc(moment: datetime) -> datetime:
    from crm.words import utc
    return utc(moment)
