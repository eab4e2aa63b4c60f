"""Fills an empty store with a believable company: three years that really happened, told by `demo.yaml` of the configuration.

Nothing here knows what a configuration calls its things. `demo.yaml` tells **stories**: which records come into being when, by whom,
and what happens to them next. A story with a `pipeline` is a deal: it walks through the stages, is won or lost by the skill of its
owner and the quality of its source, is worked on between the stages, and is still open if its time has not come.

    stories:
      lead:
        entity: lead
        count: 220                                   # at size small
        by: [rep]                                    # roles of those who do it, or `account.owner`
        fields: {name: {person: true}, source: {pick: {web: 4, fair: 2}}}
        steps:
          - {after: [0, 4], chance: 0.9, change: self, set: {status: contacted}}
          - {after: [5, 20], luck: 0.3, quality: source, good: [...steps], bad: [...steps]}

Everything is written through the door at its own moment, so history, stage times and `as_of` are real. The same seed, size and day
give the same company.
"""

from __future__ import annotations

import heapq
import math
import random
import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import Any

from crm.errors import Refused
from crm.intake import demo_goals, demo_plans, demo_process
from crm.records import classes

SIZES = {"small": 1, "medium": 10, "large": 100}
#: Opening hours of the invented company, in UTC.
HOURS = (7, 15)
HOLE = re.compile(r"\{([\w.]+)\}")

Context = dict[str, Any]


@dataclass
class Person:
    """Somebody of the company: `skill` (1 = average) wins deals, `pace` does more and sooner."""

    login: str
    role: str
    id: int
    door: Any
    team: str = ""
    skill: float = 1.0
    pace: float = 1.0
    weight: float = 1.0


@dataclass
class Thing:
    """A record of the demo: what was written, who looks after it."""

    entity: str
    id: int
    values: dict[str, Any]
    owner: Person | None = None
    luck: float = 1.0

    def get(self, key: str) -> Any:
        return self.id if key == "id" else self.values.get(key)


@dataclass(order=True)
class Event:
    at: datetime
    number: int
    act: Callable[[datetime], Any] = field(compare=False)


def is_demo(store: Any) -> bool:
    """Whether a store holds the demonstration company (every password is the user's name)."""
    return bool(store.meta.get("demo", False))


def fill(
    company: Any,
    size: str = "small",
    seed: int | None = None,
    today: date | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, int]:
    """Fill an empty store; returns how many records of each entity there are. `progress(share done, what)` is called now and then.

    Raises `Refused` when the configuration has no `demo.yaml`, the size is unknown, or the store is not empty.
    """
    spec = company.schema.demo
    if not spec:
        raise Refused("This configuration has no demo.")
    if size not in SIZES:
        raise Refused("The sizes are {sizes}.", sizes=", ".join(SIZES))
    if any(company.table(name).count(None) for name in company.schema.entities):
        raise Refused("The store is not empty; a demo needs an empty one.")
    world = World(company, plain(spec), size, seed, today, progress)
    world.run()
    return dict(world.made)


def plain(spec: Any) -> Any:
    """The YAML as dicts, lists and texts; numbers written as such become numbers."""
    if isinstance(spec, Mapping):
        return {str(key): plain(value) for key, value in spec.items()}
    if isinstance(spec, (list, tuple)):
        return [plain(value) for value in spec]
    if isinstance(spec, str) and re.fullmatch(r"-?\d+(\.\d+)?%?", spec) and not re.fullmatch(r"0\d+", spec):
        if spec.endswith("%"):
            return float(spec[:-1]) / 100
        return float(spec) if "." in spec else int(spec)
    return spec


class World:
    """One run of the simulation."""

    def __init__(self, company: Any, spec: dict[str, Any], size: str, seed: int | None, today: date | None, progress: Any) -> None:
        self.company, self.schema, self.spec = company, company.schema, spec
        stories = spec.get("stories") or {}
        spec["stories"] = {name: {**(stories[story["like"]] if "like" in story else {}), **story} for name, story in stories.items()}
        self.scale = SIZES[size] * float(spec.get("scale", 1))
        self.seed = seed if seed is not None else spec.get("seed", 1)
        self.main = self.random = random.Random(f"{self.seed}")  # a story with `stream: yes` draws from its own
        # the story ends as today begins: the same on the whole day, and nothing lies in the future
        self.now = datetime.combine(today or datetime.now(UTC).date(), clock(0, 0), UTC)
        self.start = self.now - timedelta(days=round(365.25 * float(spec.get("years", 3))))
        self.seasons = [float(one) for one in spec.get("seasons") or [1.0] * 12]
        self.words: dict[str, list[Any]] = spec.get("words") or {}
        self.progress = progress
        self.queue: list[Event] = []
        self.number = 0
        self.people: list[Person] = []
        self.things: dict[str, list[Thing]] = {}
        self.named: dict[tuple[str, str], Thing] = {}
        self.used: set[str] = set()
        self.made: Counter[str] = Counter()
        self.roles = self.schema.activities
        self._links: dict[str, dict[str, str]] = {}
        self.done = 0

    # -- the run

    def run(self) -> None:
        from crm.records.actor import SYSTEM

        self.system = self.company.door(SYSTEM)
        self.found()
        for name, story in (self.spec.get("stories") or {}).items():
            self.random = random.Random(f"{self.seed}-{name}") if story.get("stream") else self.main
            self.plan(story)
        total = (self.now - self.start).total_seconds()
        while self.queue and self.queue[0].at <= self.now:
            # five days are one durable commit; each act in them is a step of its own, rollups are settled in the last evening
            evening = min(self.now, (self.queue[0].at + timedelta(days=4)).replace(hour=20))
            with self.company.writing(SYSTEM, "Computed fields", at=evening, later=True):
                while self.queue and self.queue[0].at <= evening:
                    event = heapq.heappop(self.queue)
                    self.done += 1
                    event.act(event.at)
            if self.progress:
                self.progress(max(0.0, min(1.0, (evening - self.start).total_seconds() / total)), evening.strftime("%Y-%m"))
        demo_process.waiting(self)
        demo_goals.give(self)
        if self.progress:
            self.progress(1.0, "")
        for rule in self.schema.classes.values():
            classes.renew(self.company, rule)
        self.company.store.meta.set("demo", True)

    def found(self) -> None:
        """The first day: teams, people, and what was there from the beginning."""
        users, teams = self.schema.users, self.schema.teams
        with self.system.step("The company begins", at=self.start):
            for row in self.spec.get("teams") or []:
                if teams is None:
                    break
                values = self.row(teams.entity, dict(row))
                self.keep(self.system.create(teams.entity, values), teams.entity, values)
            for row in self.people_rows():
                if users is None:
                    break
                values = {key: value for key, value in row.items() if key not in ("skill", "pace", "weight")}
                team = values.get(users.team or "")
                values = self.row(users.entity, values)
                if users.email and users.email not in values:
                    values[users.email] = f"{values[users.login]}@{self.spec.get('domain', 'example.com')}"
                record = self.system.create(users.entity, values)
                self.keep(record, users.entity, values)
                who = Person(
                    str(values[users.login]), str(values[users.role]), record.id, None, str(team or ""),
                    float(row.get("skill", 1)), float(row.get("pace", 1)), float(row.get("weight", 1)),
                )  # fmt: skip
                self.people.append(who)
        for who in self.people:
            actor = replace(self.company.actor(who.login), system=True, admin=True, language="en")
            who.door = self.company.door(actor)
        with self.system.step("The company begins", at=self.start):
            for entity, rows in (self.spec.get("records") or {}).items():
                for row in rows:
                    values = self.row(entity, self.values(row, {}, self.start))
                    self.keep(self.system.create(entity, values), entity, values)

    def people_rows(self) -> Iterable[dict[str, Any]]:
        """The people of the YAML; a larger company has more of those with a weight, each with a first name and a login of their own."""
        rows = list(self.spec.get("people") or [])
        yield from rows
        users = self.schema.users
        if users is None or self.scale <= 1:
            return
        taken = {str(row[users.name]).split()[0] for row in rows}
        free = [name for name in dict.fromkeys([*self.words.get("women", ()), *self.words.get("men", ())]) if name not in taken]
        self.random.shuffle(free)
        logins = {str(row[users.login]) for row in rows}
        copies = round(math.sqrt(self.scale))
        for number in range(2, copies + 1):
            for row in rows:
                if "skill" in row:
                    last = self.random.choice(self.words.get("last") or ["Gray"])
                    first = free.pop() if free else str(row[users.name]).split()[0]
                    login = slug(first)
                    login = login if login not in logins else f"{login}{number}.{slug(last)}"
                    logins.add(login)
                    skill = max(0.5, min(1.6, float(row["skill"]) * self.random.uniform(0.75, 1.25)))
                    yield {**row, users.name: f"{first} {last}", users.login: login, "skill": skill}

    def row(self, entity: str, values: dict[str, Any]) -> dict[str, Any]:
        """Values with links given by name resolved."""
        one = self.schema.entities[entity]
        for key, value in values.items():
            to = getattr(one.fields.get(key), "to", None)
            if to and isinstance(value, str):
                found = self.named.get((to, value)) or next((p for p in self.people if p.login == value), None)
                values[key] = found.id if found else None
        return values

    def keep(self, record: Any, entity: str, values: dict[str, Any], owner: Person | None = None) -> Thing:
        """Remember a record that was written."""
        thing = Thing(entity, record.id, values, owner, self.random.lognormvariate(0, 0.18))
        name = values.get("name")
        if self.random is self.main:  # a story with a stream of its own changes nothing for the others
            self.things.setdefault(entity, []).append(thing)
            if isinstance(name, str):
                self.named[entity, name] = thing
        self.made[entity] += 1
        return thing

    # -- when

    def at(self, moment: datetime, act: Callable[[datetime], Any]) -> None:
        self.number += 1
        stream = self.random

        def happen(at: datetime) -> Any:
            self.random = stream
            return act(at)

        heapq.heappush(self.queue, Event(moment, self.number, happen))

    def work(self, moment: datetime) -> datetime:
        """The next working minute: no weekends, no nights."""
        closed = moment.hour >= HOURS[1]
        if closed:
            moment += timedelta(days=1)
        if moment.weekday() >= 5:
            moment += timedelta(days=7 - moment.weekday())
            closed = True
        if closed or moment.hour < HOURS[0]:
            moment = moment.replace(hour=self.random.randint(HOURS[0], HOURS[1] - 1), minute=self.random.randint(0, 59))
        return moment.replace(second=self.random.randint(0, 59), microsecond=0)

    def when(self, low: float, high: float, growth: float, seasonal: bool) -> datetime:
        """A moment between two days before the end; later ones are likelier by `growth`, busy months by their season."""
        top = max(self.seasons) if seasonal else 1.0
        while True:
            share = self.random.random()
            if self.random.random() * (1 + growth) > 1 + growth * share:
                continue
            moment = self.now + timedelta(days=low + (high - low) * share)
            if not seasonal or self.random.random() * top <= self.seasons[moment.month - 1]:
                return self.work(moment)

    def later(self, moment: datetime, after: Any) -> datetime:
        """`after: [2, 10]` days later, at work."""
        low, high = after if isinstance(after, list) else (after, after) if after is not None else (0, 0)
        if not high:
            return moment
        return self.work(moment + timedelta(days=self.random.uniform(float(low), float(high))))

    # -- stories

    def plan(self, story: dict[str, Any]) -> None:
        """Put the beginnings of a story into the calendar."""
        if not story.get("count"):
            return
        count = max(1, round(float(story["count"]) * (self.scale if story.get("scale", "yes") != "no" else 1)))
        length = (self.now - self.start).total_seconds() / 86400
        low, high = story.get("over") or [-length, -1]
        moments = sorted(
            self.when(max(-length, float(low)), float(high), float(story.get("growth", 0.6)), story.get("season", "yes") != "no")
            for _ in range(count)
        )
        for moment in moments:
            self.at(moment, partial(self.tell, story, {}))

    def tell(self, story: dict[str, Any], ctx: Context, at: datetime) -> Thing | None:
        """Begin one telling of a story."""
        ctx = dict(ctx)
        for name, ask in (story.get("with") or {}).items():
            if name not in ctx:
                found = self.choose(ask, ctx)
                if found is None and ask.get("needed", "yes") != "no":
                    return None
                ctx[name] = found
        who = self.actor(story.get("by"), ctx)
        if who is None:
            return None
        ctx["me"] = who
        if story.get("pipeline"):
            return self.deal(story, ctx, at)
        thing = self.make(story, ctx, at)
        if thing is not None:
            self.follow(story.get("steps") or [], {**ctx, "self": thing, story["entity"]: thing}, at)
        return thing

    def actor(self, by: Any, ctx: Context) -> Person | None:
        """Who does it: somebody of these roles, or the owner of a record of the story."""
        if isinstance(by, str) and by.endswith(".owner"):
            thing = ctx.get(by.partition(".")[0])
            if isinstance(thing, Thing) and thing.owner is not None:
                return thing.owner
            by = self.spec.get("reps") or ["rep"]
        roles = by if isinstance(by, list) else [by] if by else [one.role for one in self.people]
        found = [one for one in self.people if one.role in roles] or self.people
        if not found:
            return None
        return self.random.choices(found, [one.weight for one in found])[0]

    def choose(self, ask: Any, ctx: Context) -> Thing | None:
        """A record of an entity: `{of: account, where: {kind: [customer]}, same: account}`."""
        if not isinstance(ask, Mapping):
            ask = {"of": ask}
        pool = self.things.get(str(ask["of"])) or []
        wanted = ask.get("where") or {}
        if ask.get("recent"):
            pool = pool[-int(ask["recent"]) :]
        other = ctx.get(str(ask.get("not")))
        if isinstance(other, Thing):
            pool = [thing for thing in pool if thing is not other]
        for _ in range(12):
            if not pool:
                return None
            # the young and the old alike, and a few again and again
            thing = pool[min(len(pool) - 1, int(self.random.betavariate(1.0, 1.25) * len(pool)))]
            if all(thing.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted.items()):
                same = ask.get("same")
                if same and isinstance(ctx.get(same), Thing) and thing.get(str(same)) != ctx[same].id:
                    break
                return thing
        if ask.get("same") and isinstance(ctx.get(ask["same"]), Thing):
            mine = self.about(str(ask["of"]), str(ask["same"]), ctx[ask["same"]].id)
            mine = [
                thing
                for thing in mine
                if all(thing.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted.items())
            ]
            return self.random.choice(mine) if mine else None
        found = [
            thing
            for thing in pool
            if all(thing.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted.items())
        ]
        return self.random.choice(found) if found else None

    def about(self, entity: str, key: str, number: int) -> list[Thing]:
        """Records of an entity whose link `key` is this one; kept in a table that grows with them."""
        table = self.__dict__.setdefault("_about", {})
        state = table.setdefault((entity, key), [0, {}])
        pool = self.things.get(entity) or []
        for thing in pool[state[0] :]:
            state[1].setdefault(thing.get(key), []).append(thing)
        state[0] = len(pool)
        return state[1].get(number, [])

    def make(self, story: dict[str, Any], ctx: Context, at: datetime) -> Thing | None:
        """Write a new record."""
        who: Person = ctx["me"]
        entity = str(story["entity"])
        values = self.row(entity, self.values(story.get("fields") or {}, ctx, at))
        demo_plans.plan(self, entity, values, ctx, at)
        thing = self.write(who, at, lambda: who.door.create(entity, values))
        if thing is None:
            return None
        kept = self.keep(thing, entity, values, who)
        for more in story.get("people") or []:
            low, high = more.get("each", [1, 1])
            for number in range(self.random.randint(int(low), int(high))):
                self.make(more, {**ctx, "self": kept, entity: kept, "n": number}, at)
        return kept

    def write(self, who: Person, at: datetime, act: Callable[[], Any]) -> Any:
        """One act of one person at its moment."""
        with who.door.step(at=at):
            return act()

    def follow(self, steps: list[dict[str, Any]], ctx: Context, at: datetime) -> None:
        """Put what happens next into the calendar."""
        for step in steps:
            if "chance" in step and self.random.random() >= float(step["chance"]):
                continue
            self.at(self.later(at, step.get("after")), partial(self.happen, step, ctx))

    def happen(self, step: dict[str, Any], ctx: Context, at: datetime) -> None:
        """One step of a story."""
        if step.get("by"):
            ctx["me"] = self.actor(step["by"], ctx) or ctx["me"]
        who: Person = ctx["me"]
        if "touch" in step:
            self.touch(step["touch"], ctx, at)
        if "make" in step:
            story = {**step, "entity": step["make"]}
            for name, ask in (step.get("with") or {}).items():
                ctx[name] = self.choose(ask, ctx)
            thing = self.make(story, ctx, at)
            if thing is None:
                return
            ctx[str(step.get("as") or step["make"])] = thing
        if "change" in step:
            thing = ctx.get(step["change"])
            if isinstance(thing, Thing):
                values = self.row(thing.entity, self.values(step.get("set") or {}, ctx, at))
                entity, number = thing.entity, thing.id
                self.write(who, at, lambda: who.door.change(entity, number, values))
                thing.values.update(values)
                if step.get("owner"):
                    thing.owner = who
        if "start" in step:
            story = (self.spec.get("stories") or {})[step["start"]]
            thing = self.tell(story, ctx, at)
            if thing is not None:
                ctx[str(step.get("as") or story["entity"])] = thing
        if "luck" in step:
            good = self.random.random() < self.luck(step, ctx)
            self.follow(step.get("good" if good else "bad") or [], ctx, at)
        self.follow(step.get("steps") or [], ctx, at)

    def luck(self, spec: Mapping[str, Any], ctx: Context) -> float:
        """The chance that something goes well: skill of who does it, quality of the source, luck of the record, and how it fits
        (`fit: {field: {value: factor, given: …, none: …, else: …}}`)."""
        chance = float(spec["luck"]) * ctx["me"].skill
        thing = ctx.get("self")
        if isinstance(thing, Thing):
            chance *= thing.luck
            key = spec.get("quality")
            chance *= float((self.spec.get("quality") or {}).get(str(thing.get(str(key))), 1.0)) if key else 1.0
            for name, table in (spec.get("fit") or {}).items():
                value = thing.get(name)
                usual = table.get("none" if value in (None, "") else "given", table.get("else", 1.0))
                chance *= float(table.get(str(value), usual))
        return min(0.95, max(0.02, chance))

    # -- deals

    def deal(self, story: dict[str, Any], ctx: Context, at: datetime) -> Thing | None:
        """A record goes through its pipeline."""
        pipeline = self.schema.pipelines[story["pipeline"]]
        entity = self.schema.entities[pipeline.entity]
        who: Person = ctx["me"]
        open_stages = pipeline.open_stages()
        pace = who.pace * self.random.lognormvariate(0, 0.25)
        chosen = self.values(story.get("fields") or {}, ctx, at)
        values = self.row(pipeline.entity, chosen)
        quality = story.get("quality")
        luck = float(story.get("luck", 0.35)) * who.skill * self.random.lognormvariate(0, 0.2)
        luck *= float((self.spec.get("quality") or {}).get(str(values.get(str(quality))), 1.0)) if quality else 1.0
        won = self.random.random() < min(0.93, max(0.03, luck))
        forgotten = not won and self.random.random() < float(story.get("forgotten", 0.05))
        reached = len(open_stages) if won else 1 + min(len(open_stages) - 1, bisect([0.30, 0.62, 0.86], self.random.random()))
        lengths = [max(0.5, (stage.days or 14) * self.random.lognormvariate(-0.1, 0.5) / pace) for stage in open_stages]
        if not won and reached:
            lengths[reached - 1] *= 1.5
        closing = pipeline.fields.get("close")
        if closing and closing not in values:
            expected = at + timedelta(days=sum((stage.days or 14) for stage in open_stages) * self.random.uniform(0.8, 1.5))
            values[closing] = expected.date().isoformat()
        if entity.pipeline_field:
            values[entity.pipeline_field] = pipeline.name
        promised = pipeline.fields.get("next")
        first_touch = self.work(at + timedelta(days=self.random.uniform(1, 6) / pace))
        if promised:
            values[promised] = first_touch.date().isoformat()
            self.say_next(pipeline, values)
        record = self.write(who, at, lambda: who.door.create(pipeline.entity, values))
        if record is None:
            return None
        thing = self.keep(record, pipeline.entity, values, who)
        mine = {**ctx, "self": thing, pipeline.entity: thing}
        moments: list[datetime] = []
        moment = at
        for days in lengths[:reached]:
            moment = self.work(moment + timedelta(days=days))
            moments.append(moment)
        end = moments[-1]
        steps = story.get("stages") or {}
        for number, stage in enumerate(open_stages[1:reached], 1):
            self.at(moments[number - 1], partial(self.enter, pipeline, stage, steps.get(stage.key) or {}, mine))
        ending = (pipeline.of_outcome("won") if won else pipeline.of_outcome("lost"))[:1]
        tidied = end + timedelta(days=self.random.uniform(60, 150)) if forgotten else end  # somebody clears out the pipeline at last
        if ending and (not forgotten or tidied < self.now):
            self.at(tidied, lambda t: self.finish(pipeline, ending[0], steps.get(ending[0].key) or {}, mine, t))
        self.follow(story.get("steps") or [], mine, at)
        last = min(end, self.now)
        rate = float(story.get("touches", 0.6)) * pace * (1.25 if won else 0.9)
        touches: list[datetime] = []
        moment = first_touch
        stop = last if not forgotten else min(last, at + (last - at) * 0.5)
        while moment < stop:
            touches.append(moment)
            moment = self.work(moment + timedelta(days=max(0.5, self.random.expovariate(rate / 7.0))))
        for number, moment in enumerate(touches):
            following = touches[number + 1] if number + 1 < len(touches) else None
            self.at(moment, partial(self.work_on, pipeline, mine, following=following))
        if tidied > self.now:
            self.at(
                min(self.now, max(self.now - timedelta(hours=self.random.uniform(1, 60)), at)),
                lambda t: self.leave_open(pipeline, mine, t, forgotten),
            )
        return thing

    def say_next(self, pipeline: Any, values: dict[str, Any]) -> None:
        key = pipeline.fields.get("next_text")
        if key:
            values[key] = self.random.choice(self.words.get("next") or ["Call back"])

    def enter(self, pipeline: Any, stage: Any, spec: dict[str, Any], ctx: Context, at: datetime) -> None:
        """The deal comes into another stage; what the stage asks for is filled."""
        thing, who = ctx["self"], ctx["me"]
        if thing.values.get("_closed"):
            return
        values = self.values(spec.get("set") or {}, ctx, at)
        values = self.row(thing.entity, values)
        promised = pipeline.fields.get("next")
        if promised and stage.open and not thing.values.get(promised):
            values.setdefault(promised, (at + timedelta(days=self.random.randint(2, 9))).date().isoformat())
            self.say_next(pipeline, values)
        chance = pipeline.fields.get("probability")
        if chance and stage.open:
            values.setdefault(chance, float(stage.probability))
        demo_process.move(self, pipeline, thing, who, stage, values, at)
        thing.values.update(values)
        self.follow(spec.get("steps") or [], ctx, at)

    def finish(self, pipeline: Any, stage: Any, spec: dict[str, Any], ctx: Context, at: datetime) -> None:
        """Won or lost: the real day is the day of the decision, nothing is promised any more."""
        thing, who = ctx["self"], ctx["me"]
        values = self.row(thing.entity, self.values(spec.get("set") or {}, ctx, at))
        if closing := pipeline.fields.get("close"):
            values[closing] = at.date().isoformat()
        for role in ("next", "next_text"):
            if key := pipeline.fields.get(role):
                values[key] = None
        if key := pipeline.fields.get("probability"):
            values[key] = 1 if stage.outcome == "won" else 0
        demo_process.move(self, pipeline, thing, who, stage, values, at)
        thing.values.update(values, _closed=True)
        self.follow(spec.get("steps") or [], ctx, at)

    def work_on(self, pipeline: Any, ctx: Context, at: datetime, following: datetime | None) -> None:
        """Something is done for the deal, and the next thing is agreed."""
        thing, who = ctx["self"], ctx["me"]
        if thing.values.get("_closed"):
            return
        promised = pipeline.fields.get("next")
        values: dict[str, Any] = {}
        if promised and following is not None:
            values[promised] = (following + timedelta(days=self.random.choice([0, 0, 0, 1, -1]))).date().isoformat()
            self.say_next(pipeline, values)
        closing = pipeline.fields.get("close")
        if closing and following is not None and str(thing.values.get(closing) or "9") < following.date().isoformat():
            values[closing] = (following + timedelta(days=self.random.randint(14, 45))).date().isoformat()

        def act() -> Any:
            self.touch({}, ctx, at, inside=True)
            if values:
                who.door.change(thing.entity, thing.id, values)
            return True

        if self.write(who, at, act):
            thing.values.update(values)

    def leave_open(self, pipeline: Any, ctx: Context, at: datetime, forgotten: bool) -> None:
        """How an open deal stands today: most have a next step ahead, some are late, some have none."""
        thing, who = ctx["self"], ctx["me"]
        if thing.values.get("_closed"):
            return
        promised = pipeline.fields.get("next")
        draw = self.random.random() / (0.7 + 0.3 * who.skill)
        if forgotten or draw > 0.9:
            values: dict[str, Any] = {key: None for role in ("next", "next_text") if (key := pipeline.fields.get(role))}
            due = None
        else:
            days = (
                self.random.choices([0, self.random.randint(1, 6), self.random.randint(7, 24)], [2, 5, 4])[0]
                if draw < 0.68
                else -self.random.randint(1, 16)
            )
            due = self.work(self.now.replace(hour=9) + timedelta(days=days)) if days >= 0 else self.now + timedelta(days=days)
            due = due.replace(hour=self.random.randint(8, 15), minute=self.random.choice([0, 15, 30, 45]), second=0)
            due = demo_plans.office(self, due)
            values = {promised: due.date().isoformat()} if promised else {}
            self.say_next(pipeline, values)
        closing = pipeline.fields.get("close")
        if closing and not forgotten and str(thing.values.get(closing) or "9") < self.now.date().isoformat() and self.random.random() < 0.8:
            values[closing] = (self.now + timedelta(days=self.random.randint(5, 70))).date().isoformat()

        def act() -> Any:
            if due is not None:
                self.touch({"due": due}, ctx, at, inside=True)
            if values:
                who.door.change(thing.entity, thing.id, values)
            return True

        if self.write(who, at, act):
            thing.values.update(values)

    # -- activities

    def touch(self, spec: Any, ctx: Context, at: datetime, inside: bool = False) -> None:
        """An activity: done now, or with `due` (a moment, or days ahead) still to do."""
        roles = self.roles
        if roles is None:
            return
        spec = spec if isinstance(spec, dict) else {"kind": spec}
        who: Person = ctx["me"]
        kinds = self.spec.get("touches") or {}
        kind = spec.get("kind") or self.random.choices(list(kinds), [float(one.get("weight", 1)) for one in kinds.values()])[0]
        look = kinds.get(kind) or {}
        values: dict[str, Any] = {}
        if roles.kind:
            values[roles.kind] = kind
        values[roles.subject] = str(self.value(spec.get("subject") or look.get("subject") or kind.capitalize(), ctx, at))
        due = spec.get("due")
        if due is not None:
            if not isinstance(due, datetime):
                due = self.later(at, due)
            values[roles.due] = due.isoformat()
        else:
            values[roles.due] = values[roles.done] = at.isoformat()
            if roles.text and self.random.random() < 0.75:
                values[roles.text] = self.value(spec.get("text") or look.get("text"), ctx, at)
            if roles.result:
                values[roles.result] = self.value(spec.get("result") or look.get("result"), ctx, at)
            if roles.duration and look.get("minutes"):
                low, high = look["minutes"]
                values[roles.duration] = round(self.random.uniform(low, high) / 5) * 5 or 5
        if roles.owner:
            values[roles.owner] = who.id
        for key, name in self.links(roles.entity).items():
            thing = ctx.get(name)
            if isinstance(thing, Thing) and key not in values:
                values[key] = thing.id
        values.update(self.values({**(look.get("set") or {}), **(spec.get("set") or {})}, ctx, at))
        values = {key: value for key, value in values.items() if value is not None}
        demo_plans.plan(self, roles.entity, values, ctx, at)
        record = who.door.create(roles.entity, values) if inside else self.write(who, at, lambda: who.door.create(roles.entity, values))
        if record is not None:
            self.made[roles.entity] += 1

    def links(self, entity: str) -> dict[str, str]:
        """The link fields of an entity and the names in a story that fill them: a field is filled by what is called like it."""
        if entity not in self._links:
            users = self.schema.users.entity if self.schema.users else None
            one = self.schema.entities[entity]
            self._links[entity] = {
                key: key
                for key, f in one.own_fields.items()
                if getattr(f, "to", None) not in (None, users, entity) and not getattr(f, "many", False)
            }
        return self._links[entity]

    # -- values

    def values(self, spec: Mapping[str, Any], ctx: Context, at: datetime) -> dict[str, Any]:
        """Typed values from a description; later fields may use earlier ones as `{self.name}`."""
        values: dict[str, Any] = {}
        inner = {**ctx, "values": values}
        for key, one in spec.items():
            value = self.value(one, inner, at)
            if value is not None and value != "":
                values[key] = value
            elif one is None:
                values[key] = None
        return values

    def value(self, spec: Any, ctx: Context, at: datetime) -> Any:
        """One value: a constant, a template, one of a list, or a description such as `{pick: {a: 3, b: 1}}`, `{all: [PL, SE]}`."""
        if isinstance(spec, str):
            return self.template(spec, ctx, at) if "{" in spec else spec
        if isinstance(spec, list):
            return self.value(self.random.choice(spec), ctx, at) if spec else None
        if not isinstance(spec, dict):
            return spec
        if "all" in spec:
            return [self.value(one, ctx, at) for one in spec["all"]]
        if "chance" in spec:
            if self.random.random() >= float(spec["chance"]):
                return self.value(spec["else"], ctx, at) if "else" in spec else None
            return self.value(spec.get("give", {key: one for key, one in spec.items() if key not in ("chance", "else")}), ctx, at)
        if "pick" in spec:
            of = spec["pick"]
            if isinstance(of, dict):
                return self.value(self.random.choices(list(of), [float(one) for one in of.values()])[0], ctx, at)
            return self.value(self.random.choice(of), ctx, at)
        if "word" in spec:
            return self.value(self.random.choice(self.words[spec["word"]]), ctx, at)
        if "unique" in spec:
            return self.unlike(lambda: str(self.value(spec["unique"], ctx, at)))
        if "range" in spec:
            low, high = spec["range"]
            return (
                self.random.randint(low, high)
                if isinstance(low, int) and isinstance(high, int)
                else round(self.random.uniform(low, high), 2)
            )
        if "around" in spec:  # lognormal: [median, spread], rounded to two figures
            middle, spread = spec["around"]
            base = self.number_of(middle, ctx)
            return two_figures(base * math.exp(self.random.gauss(0, float(spread)))) if base else None
        if "times" in spec:
            of, low, high = spec["times"]
            base = self.number_of(of, ctx)
            return round(base * self.random.uniform(low, high), 2) if base is not None else None
        if "days" in spec:
            low, high = spec["days"] if isinstance(spec["days"], list) else (spec["days"], spec["days"])
            return (at + timedelta(days=self.random.uniform(low, high))).date().isoformat()
        if "moment" in spec:
            low, high = spec["moment"] if isinstance(spec["moment"], list) else (spec["moment"], spec["moment"])
            return (at + timedelta(hours=self.random.uniform(low, high))).isoformat()
        if "link" in spec:
            found = self.choose({**spec, "of": spec["link"]}, ctx)
            return found.id if found else None
        if "of" in spec:
            return self.look(spec["of"], ctx)
        if "by" in spec:
            known = self.look(spec["by"], ctx)
            return self.value(spec["of_them"].get(str(known), spec["of_them"].get("else")), ctx, at)
        if "person" in spec:
            women = self.random.random() < 0.5
            first = self.random.choice(self.words["women" if women else "men"])
            return {"title": ("Ms" if women else "Mr"), "first": first, "last": self.random.choice(self.words["last"])}
        if "email" in spec:
            name = self.look(spec["email"], ctx)
            text = f"{name['first']}.{name['last']}" if isinstance(name, dict) else str(name or "info")
            host = self.look(spec["at"], ctx) if "at" in spec else self.random.choice(self.words.get("hosts") or ["example.com"])
            return f"{slug(text)}@{slug(str(host))}.example" if "at" in spec else f"{slug(text)}@{host}"
        if "site" in spec:
            return f"https://www.{slug(str(self.look(spec['site'], ctx)))}.example"
        if "phone" in spec:
            return str(spec["phone"]) + "".join(str(self.random.randint(0, 9)) for _ in range(int(spec.get("digits", 6))))
        if "person_of" in spec:
            who = self.actor(spec["person_of"], ctx)
            return who.id if who else None
        if "me" in spec:
            return ctx["me"].id
        if "links" in spec:
            low, high = spec.get("each", [1, 2])
            found_: dict[int, Any] = {}
            for _ in range(self.random.randint(low, high)):
                thing = self.choose({**spec, "of": spec["links"]}, ctx)
                if thing:
                    found_[thing.id] = {"id": thing.id, **self.values(spec.get("set") or {}, {**ctx, "linked": thing}, at)}
            return list(found_.values()) or None
        if "lines" in spec:
            return self.lines(spec, ctx, at)
        if "sum" in spec:
            return self.sum_lines(self.look(spec["sum"], ctx))
        return self.values(spec, ctx, at)

    def lines(self, spec: dict[str, Any], ctx: Context, at: datetime) -> list[dict[str, Any]] | None:
        """Rows of a table: `{lines: product, each: [1, 3], set: {quantity: …, price: {of: linked.price}}}`."""
        low, high = spec.get("each", [1, 3])
        rows = []
        seen: set[int] = set()
        for _ in range(self.random.randint(low, high)):
            thing = self.choose({**spec, "of": spec["lines"]}, ctx)
            if thing and thing.id not in seen:
                seen.add(thing.id)
                rows.append({spec.get("key", spec["lines"]): thing.id, **self.values(spec.get("set") or {}, {**ctx, "linked": thing}, at)})
        return rows or None

    @staticmethod
    def sum_lines(rows: Any) -> float | None:
        if not isinstance(rows, list):
            return None
        return round(
            sum(float(row.get("quantity") or 1) * float(row.get("price") or 0) * (1 - float(row.get("discount") or 0)) for row in rows), 2
        )

    def number_of(self, of: Any, ctx: Context) -> float | None:
        found = self.look(of, ctx) if isinstance(of, str) else of
        try:
            return float(found)
        except (TypeError, ValueError):
            return None

    def look(self, path: str, ctx: Context) -> Any:
        """`account.owner`, `self.name`, `values.amount` or just `amount` of what is being written."""
        head, _, rest = str(path).partition(".")
        if not rest:
            values = ctx.get("values") or {}
            if head in values:
                return values[head]
            thing = ctx.get(head)
            return thing.id if isinstance(thing, (Thing, Person)) else thing
        thing = ctx.get(head)
        if isinstance(thing, Thing):
            return thing.owner.id if rest == "owner" and thing.owner else thing.get(rest)
        if isinstance(thing, Person):
            return getattr(thing, rest, None)
        found = (ctx.get("values") or {}).get(head) if head != "values" else ctx.get("values")
        return found.get(rest) if isinstance(found, dict) else None

    def template(self, text: str, ctx: Context, at: datetime) -> Any:
        """Fill `{words}`: a pool of words, a field of a record, the month."""

        def fill_in(hole: re.Match[str]) -> str:
            name = hole[1]
            if name in self.words:
                return str(self.value(self.random.choice(self.words[name]), ctx, at))
            if name == "month":
                return at.strftime("%B")
            if name == "year":
                return at.strftime("%Y")
            found = self.look(name, ctx)
            if isinstance(found, dict):
                return " ".join(str(found[key]) for key in ("first", "last") if found.get(key))
            return "" if found is None else str(found)

        return HOLE.sub(fill_in, text).strip()

    def unlike(self, draw: Callable[[], str]) -> str:
        """A text not drawn before."""
        text = ""
        for _ in range(30):
            text = draw()
            if text not in self.used:
                self.used.add(text)
                return text
        number = 2
        while f"{text} {number}" in self.used:
            number += 1
        self.used.add(f"{text} {number}")
        return f"{text} {number}"


def two_figures(value: float) -> int:
    """A sum as people name it: 18,437 is 18,500."""
    if value <= 0:
        return 0
    step = max(1, 10 ** max(0, math.floor(math.log10(value)) - 1) // 2)
    return round(round(value / step) * step)


def slug(text: str) -> str:
    """Letters and dots of a name, for an address."""
    from crm.words import fold

    return re.sub(r"[^a-z0-9.]+", "", fold(text).replace(" ", ""))[:40] or "info"


__all__ = ["SIZES", "fill", "is_demo"]
