"""A pipeline, or the options of a choice, as a board, with the same filters as the list."""

from __future__ import annotations

from typing import Any

from tinydb import where

from crm.errors import Denied, Missing, RecordError, Refused
from crm.views import acting, gating, planning
from crm.views.app import href
from crm.views.base import PAGES, told
from crm.views.columns import Columns
from crm.views.listing import Listing, due_tone, local_day, short_date, stage_color
from crm.views.pages.list import Listed
from crm.views.text import subtitle

TAKE = f"{acting.PREFIX}take"
CARDS = 25  # cards of a column asked for at a time
CLOSED_DAYS = 90  # how long finished ones stay on the board


@PAGES.add
class BoardPage(Listed):
    """`?view=board&pipeline=b2b`, or `?view=board&entity=case` where the entity has a `board:`; and all that a list's address may say."""

    name = "board"
    shape = "board"

    def __init__(self, app: Any, entity: str = "", pipeline: str = "", **args: str) -> None:
        pipelines = app.schema.pipelines
        alone = app.schema.entities.get(pipeline if pipeline and pipeline not in pipelines else entity)
        self.pipeline: Any = None
        if alone is not None and alone.board is not None:
            self.pipeline, pipeline = Columns(alone), ""
        elif pipeline not in pipelines:
            pipeline = next(
                (one.name for one in pipelines.values() if (not entity or one.entity == entity) and app.door.may("see", one.entity)), ""
            )
        if self.pipeline is None and not pipeline:
            raise Missing("There is no pipeline here.")
        self.pipeline = self.pipeline or pipelines[pipeline]
        super().__init__(app, self.pipeline.entity, pipeline=pipeline, **args)
        if self.by not in self.listing.readable:
            raise Missing("This is not there, or not for you.")
        self.part = app.part("board", self.content(), on={**self.shared(), "move": self.move, "more": self.more, "log": lambda key: self.app.boxes.log(self.listing.entity.name, int(key)), "take": self.take})
        self.body = self.part

    @property
    def by(self) -> str:
        """The field that decides in which column a record stands."""
        entity = self.app.schema.entities[self.pipeline.entity]
        return str(entity.board.by if entity.board is not None else entity.stage_field)

    def read(self, entity: str, args: dict[str, str]) -> Listing:
        wanted = args.get("pipeline") or self.pipeline.name
        if isinstance(self.pipeline, Columns):
            return Listing(self.app, entity, args, self.shape)
        if wanted in self.app.schema.pipelines and self.app.schema.pipelines[wanted].entity == entity:
            self.pipeline = self.app.schema.pipelines[wanted]
        return Listing(self.app, entity, {**args, "pipeline": self.pipeline.name}, self.shape)

    def turn(self, args: dict[str, str]) -> bool:
        args = dict(args)
        pipeline = args.get("pipeline", "")
        if pipeline in self.app.schema.pipelines:
            args["entity"] = self.app.schema.pipelines[pipeline].entity
        args.setdefault("entity", self.listing.entity.name)
        return super().turn(args)

    @property
    def title(self) -> str:  # type: ignore[override]
        return self.pipeline.label_in(self.t)

    # -- content
    def role(self, name: str) -> str | None:
        key = self.pipeline.fields.get(name) or (self.listing.entity.owner if name == "owner" else None)
        return key if key in self.listing.readable else None

    def in_stage(self, stage: Any) -> list[Any]:
        """What the door is asked for one column: its stage, and for finished ones only the last months."""
        from datetime import timedelta

        condition = where(self.by) == stage.key
        if not stage.open and not self.listing.filters and not self.listing.q:
            since = self.t.midnight(self.t.today() - timedelta(days=CLOSED_DAYS))
            condition &= where(self.since) >= self.listing.entity.fields[self.since].to_json(since)
        return [condition]

    @property
    def since(self) -> str:
        """The field that says since when a finished record stands there."""
        return "stage_on" if "stage_on" in self.listing.entity.fields else "changed_on"

    def order(self) -> list[str]:
        if self.listing.args.get("sort"):
            return self.listing.sort
        key = self.role("next")
        return [key] if key else self.listing.sort

    def cards(self, stage: Any, offset: int = 0) -> tuple[list[dict], bool]:
        records = self.listing.records(CARDS + 1, offset, self.in_stage(stage), self.order())
        more, records = len(records) > CARDS, records[:CARDS]
        keys = [
            key
            for key in (self.role("owner"), *(one for one in self.listing.fields if getattr(self.listing.fields[one], "to", None)))
            if key
        ]
        self.listing.titles.load_records(records, list(dict.fromkeys(keys)))
        mine = next((set(act["only"]) for act in acting.rows(self.app, self.listing.entity.name, records) if act["name"] == TAKE), set())
        return [{**self.card(record, stage), "take": str(record.id) in mine} for record in records], more

    def take(self, key: str) -> None:
        """A card of the pool becomes this user's."""

        def done(words: str, step: int) -> None:
            self.refresh()
            self.app.say(words, undo=step)

        acting.act(self.app, self.listing.entity.name, TAKE, [int(key)], done)

    def card(self, record: Any, stage: Any) -> dict[str, Any]:
        t, listing, fields = self.t, self.listing, self.listing.fields
        amount, owner, day_key = self.role("amount"), self.role("owner"), self.role("next")
        day = local_day(t, record.get(day_key)) if day_key else None
        from crm.views.planning import next_keys

        words_key = next_keys(self.app, listing.entity, record)[1]
        words = record.get(words_key) if words_key and words_key in record else None
        entered = local_day(t, record.get(self.since))
        over = (t.today() - entered).days if entered and stage.days and stage.open else 0
        late = stage.open and stage.days and over > stage.days
        return {
            "key": str(record.id),
            "title": record.title,
            "sub": subtitle(record, listing.entity, listing.shown),
            "amount": fields[amount].display(record[amount], listing.shown) if amount and record.get(amount) is not None else "",
            "next": (" · ".join(str(one) for one in (short_date(t, day), words) if one) if day else self.unplanned(record))
            if stage.open
            else (t.date(entered, "d MMM y") if entered else " "),
            "tone": due_tone(t, day) if stage.open and (day or listing.entity.next) else "",
            "owner": listing.titles(fields[owner].to, record[owner]) if owner and record.get(owner) is not None else None,
            "days": t("{n} d", n=over) if late else None,
            "daysay": t("{n} days here", n=over) if late else None,
            "href": href(view="record", entity=listing.entity.name, id=record.id),
        }

    def unplanned(self, record: Any) -> str | None:
        """What a card without a day says: that the next step is missing where there should be one, else since when it is there."""
        made = local_day(self.t, record.get("created_on"))
        return None if self.listing.entity.next is not None or made is None else self.t.date(made, "d MMM y")

    def content(self) -> dict[str, Any]:
        t, listing = self.t, self.listing
        columns = []
        for stage in self.pipeline.stages.values():
            cards, more = self.cards(stage)
            columns.append(
                {
                    "name": stage.key,
                    "label": stage.label_in(t),
                    "color": stage.color or stage_color(stage),
                    "outcome": stage.outcome,
                    "closed": not stage.open,
                    "cards": cards,
                    "more": more,
                    "count": None if more else len(cards),
                    "sum": "",
                    "weighted": "",
                    "glyph": {"won": "emoji_events", "lost": "thumb_down"}.get(stage.outcome or "", "inbox"),
                }
            )
        may = {
            "log": planning.may_log(self.app, listing.entity.name),
            "move": self.door.may("change", listing.entity.name) and self.by in self.door.writable(listing.entity.name)
        }
        pipelines = [
            {"name": one.name, "label": one.label_in(t), "on": one.name == self.pipeline.name}
            for one in self.app.schema.pipelines.values()
            if self.door.may("see", one.entity) and self.pipeline.name
        ]
        return {
            **self.bar(),
            "columns": columns,
            "may": may,
            "pipelines": pipelines,
            "process": href(view="process", pipeline=self.pipeline.name) if self.pipeline.name else None,
        }

    def figures(self) -> dict[str, Any]:
        """Count, sum and weighted sum of every column, over all that match and not only what is on the screen."""
        t, listing, amount = self.t, self.listing, self.role("amount")
        measures: dict[str, Any] = {"n": ("count", None)}
        if amount:
            measures["sum"] = ("sum", amount)
        stages = self.pipeline.stages
        open_ones = [key for key, one in stages.items() if one.open]
        conditions = [where(self.by).one_of(open_ones)] if open_ones else []
        rows = {
            row["by"][0]: row
            for row in self.door.aggregate(
                listing.entity.name,
                by=[self.by],
                measures=measures,
                where=[*listing.where, *conditions],
                find=listing.find,
            )
        }
        for key, stage in stages.items():
            if not stage.open:
                found = self.door.aggregate(
                    listing.entity.name, by=[], measures=measures, where=[*listing.where, *self.in_stage(stage)], find=listing.find
                )
                if found:
                    rows[key] = found[0]
        columns, total = [], 0
        for column in self.part.content["columns"]:
            row, stage = rows.get(column["name"]), stages[column["name"]]
            count = int(row["n"]) if row else 0
            total += count
            value = row.get("sum") if row and amount else None
            currency = getattr(listing.fields[amount], "currency", "") or "" if amount else ""
            weighted = (
                t("weighted {amount}", amount=t.money_short(value * stage.probability, currency))
                if value and stage.open and stage.probability is not None
                else t("last {n} days", n=CLOSED_DAYS)
                if not stage.open and not listing.filters and not listing.q
                else ""
            )
            columns.append(
                {**column, "count": count, "sum": t.money_short(value, currency) if value is not None else "", "weighted": weighted}
            )
        return {"columns": columns, "total": t("{count} on the board", count=t.number(total), n=total)}

    # -- acts
    def more(self, stage: str, after: int) -> dict:
        if stage not in self.pipeline.stages:
            raise Missing("This is not there, or not for you.")
        cards, more = self.cards(self.pipeline.stages[stage], int(after))
        for column in self.part.content["columns"]:
            if column["name"] == stage:
                known = {card["key"] for card in column["cards"]}
                column["cards"] = [*column["cards"], *(card for card in cards if card["key"] not in known)]
                column["more"] = more
        return {"cards": cards, "more": more}

    def move(self, key: str, stage: str) -> dict:
        """Moves a card; what the gate wants is asked in a small sheet, and until it is given the card stands where it was."""
        target = self.pipeline.stages.get(stage)
        if target is None:
            raise Missing("This is not there, or not for you.")
        entity, number, t = self.listing.entity, int(key), self.t
        record = self.door.get(entity.name, number)
        before = record.get(self.by)
        try:
            made = gating.Move(self.app, entity, number, target)
        except (Refused, Denied) as exc:
            return {"error": self.loud(exc.say(t))}
        except RecordError as exc:
            answer = told(exc, t)
            return {"error": self.loud(next(iter((answer.get("problems") or {}).values()), answer["error"]))}
        if made.made is None:

            def done(again: gating.Move) -> None:
                self.settle(again.made, before, target, again.step)
                if target.outcome == "won":
                    self.part.send("joy")

            gating.sheet(self.app, entity, record, target, made, done)
            return {"wants": True, "say": made.say}
        words = self.settle(made.made, before, target, made.step)
        return {"say": words, "joy": target.outcome == "won"}

    def loud(self, words: str) -> str:
        self.app.say(words, tone="bad")
        return words

    def settle(self, record: Any, before: str | None, target: Any, step: Any) -> str:
        """The columns as they are now, without asking for all cards again."""
        columns = []
        card = self.card(record, target)
        for column in self.part.content["columns"]:
            cards = [one for one in column["cards"] if one["key"] != card["key"]]
            columns.append({**column, "cards": [card, *cards] if column["name"] == target.key else cards})
        self.part.patch(columns=columns)
        self.part.patch(**self.figures())
        words = self.t("{title} is now in {stage}", title=record.title, stage=target.label_in(self.t))
        self.app.say(words, undo=step.id)
        return words

    def add(self, **values: Any) -> None:
        if self.listing.entity.pipeline_field and self.pipeline.name:
            values = {self.listing.entity.pipeline_field: self.pipeline.name, **values}
        super().add(**values)
