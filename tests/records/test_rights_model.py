"""No way of reading shows what a role may not see; no way of writing does what it may not do.

Random roles over two linked entities with events, random records, every value marked with a token of its own. A plain-Python model
says which tokens each person may see; whatever comes out of any read path is searched for tokens of others.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from crm.errors import Denied, GateError, Missing, RecordError, Refused
from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store
from tests.records.conftest import write

TOKEN = re.compile(r"tok[0-9]+x")
SEES = ["none", "own", "team", "all", "color == 'red'", "owner == me or color == 'blue'"]
FIELDS = {"alpha": ["name", "secret", "note", "color", "owner"], "beta": ["name", "secret", "note", "color", "owner", "parent", "mark"]}
HIDEABLE = {"alpha": ["name", "secret", "note"], "beta": ["name", "secret", "note", "parent"]}

ALPHA = """
entity: alpha
title: "{name} [{note}]"
subtitle: "{secret}"
owner: owner
fields:
  name: {type: text, search: true}
  secret: {type: text, search: true, unique: true}
  note: {type: long_text, search: true}
  color: {type: choice, options: {red: Red, blue: Blue, grey: Grey}}
  owner: {type: user, default: me}
  loud: {type: text, formula: "concat(secret, '!')"}
  louder: {type: text, formula: "concat(loud, '!')"}
  best: {type: text, rollup: "max(betas.note)"}
  stage: {type: stage}
"""
BETA = """
entity: beta
title: "{name} {parent}"
owner: owner
timeline: {on: on, title: "{name}", text: note, result: secret, who: owner}
fields:
  name: {type: text, search: true}
  secret: {type: text, search: true}
  note: {type: long_text, search: true}
  color: {type: choice, options: {red: Red, blue: Blue, grey: Grey}}
  owner: {type: user, default: me}
  parent: {type: link, to: alpha, back: betas}
  mark: {type: number}
  on: {type: date, default: today}
  of: {type: text, formula: "concat(parent.secret, parent.name)"}
"""
PIPE = """
pipeline: flow
entity: alpha
fields: {stage: stage, owner: owner}
stages:
  first: {label: First, require: []}
  second: {label: Second, require: [secret]}
  done: {label: Done, outcome: won}
"""


@dataclass
class Model:
    """What the test knows of the world: rights, people, records and every token ever written."""

    rights: dict[str, dict[str, dict[str, Any]]]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    def mates(self, who: str) -> set[int]:
        team = self.people[who]["team"]
        below = {"top": {"top", "low"}, "low": {"low"}, "side": {"side"}}[team]
        return {one["id"] for one in self.people.values() if one["team"] in below}

    def scope(self, who: str, entity: str, act: str, state: dict[str, Any]) -> bool:
        scope = self.rights[self.people[who]["role"]].get(entity, {}).get(act, "none")
        me = self.people[who]["id"]
        return {
            "none": False,
            "all": True,
            "own": state.get("owner") == me,
            "team": state.get("owner") in self.mates(who),
            "color == 'red'": state.get("color") == "red",
            "owner == me or color == 'blue'": state.get("owner") == me or state.get("color") == "blue",
        }[scope]

    def sees(self, who: str, entity: str, id: int) -> bool:
        record = self.records[entity, id]
        return not record.get("gone") and self.scope(who, entity, "see", record)

    def hidden(self, who: str, entity: str) -> set[str]:
        rights = self.rights[self.people[who]["role"]]
        gone = set(rights.get(entity, {}).get("hide", []))
        if entity == "alpha":
            if "secret" in gone:
                gone |= {"loud", "louder"}
            beta = rights.get("beta", {})
            if beta.get("see", "none") == "none" or {"note", "parent"} & set(beta.get("hide", [])):
                gone |= {"best"}
        else:
            alpha = rights.get("alpha", {})
            if "parent" in gone or alpha.get("see", "none") == "none" or {"secret", "name"} & set(alpha.get("hide", [])):
                gone |= {"of"}
        return gone

    def visible(self, who: str) -> set[str]:
        """Tokens of what somebody may see; of a deleted record too, since its past stays in reports of past days."""
        found = set()
        for token, (entity, id, key) in self.tokens.items():
            if self.scope(who, entity, "see", self.records[entity, id]) and key not in self.hidden(who, entity):
                found.add(token)
        return found | self.computed(who)

    def computed(self, who: str) -> set[str]:
        """Tokens that reach somebody through a figure they may see: the best note, the parent's words. That is what a formula is for."""
        found = set()
        for (entity, id), record in self.records.items():
            if not self.scope(who, entity, "see", record):
                continue
            if entity == "alpha" and "best" not in self.hidden(who, "alpha"):
                found |= {t for t, (e, i, k) in self.tokens.items() if e == "beta" and k == "note" and id in self.records[e, i]["parents"]}
            if entity == "beta" and "of" not in self.hidden(who, "beta"):
                found |= {t for t, (e, i, k) in self.tokens.items() if e == "alpha" and k in ("secret", "name") and i in record["parents"]}
        return found


def rights_of(rng: random.Random) -> dict[str, Any]:
    rights: dict[str, Any] = {}
    for entity in ("alpha", "beta"):
        if rng.random() < 0.12:
            continue
        see = rng.choice(SEES)
        rights[entity] = {
            "see": see,
            "create": rng.choice(["none", "all", "all"]) if see != "none" else "none",
            "change": rng.choice(SEES) if see != "none" else "none",
            "delete": rng.choice(SEES) if see != "none" else "none",
            "hide": rng.sample(HIDEABLE[entity], rng.randint(0, 2)),
        }
    return rights


class World:
    def __init__(self, seed: int, folder: Any) -> None:
        self.rng = rng = random.Random(seed)
        roles = {name: rights_of(rng) for name in ("one", "two", "three")}
        self.model = Model(roles)
        files = {
            "crm.yaml": "name: w\ntitle: W\nusers: {entity: person, name: name, login: login, role: role, team: team}\nteams: {entity: team, parent: above}\n",
            "entities/person.yaml": "entity: person\ntitle: '{name}'\nfields:\n  name: {type: text}\n  login: {type: text}\n"
            "  role: {type: choice, options: [one, two, three]}\n  team: {type: team}\n",
            "entities/team.yaml": "entity: team\ntitle: '{name}'\nfields:\n  name: {type: text}\n  above: {type: link, to: team, back: below}\n",
            "entities/alpha.yaml": ALPHA,
            "entities/beta.yaml": BETA,
            "pipelines/flow.yaml": PIPE,
        }
        for name, rights in roles.items():
            given = {**rights, "person": {"see": "all"}, "team": {"see": "all"}}
            files[f"roles/{name}.yaml"] = f"role: {name}\nrights: {json.dumps(given)}\n"
        import tests.records.conftest as c

        kept, c.YAML = c.YAML, {}
        try:
            write(folder, files)
        finally:
            c.YAML = kept
        self.company = Company(load(folder), open_store(":memory:"))
        system = self.system = self.company.door(SYSTEM)
        teams = {"top": system.create("team", {"name": "top"}).id, "side": system.create("team", {"name": "side"}).id}
        teams["low"] = system.create("team", {"name": "low", "above": teams["top"]}).id
        for number, name in enumerate(["ada", "bob", "cyd", "dan", "eva", "fox"]):
            team, role = ["top", "low", "side"][number % 3], ["one", "two", "three"][number // 2]
            id = system.create("person", {"name": name, "login": name, "role": role, "team": teams[team]}).id
            self.model.people[name] = {"id": id, "team": team, "role": role}
        for _ in range(8):
            self.add("alpha")
        for _ in range(12):
            self.add("beta")
        self.middle = self.company.store.changes(0)[-1].at
        for (entity, id), _record in list(self.model.records.items()):
            if rng.random() < 0.5:
                self.touch(entity, id)
        for key in rng.sample(list(self.model.records), 2):
            if key[0] == "beta":
                system.delete(*key)
                self.model.records[key]["gone"] = True

    def token(self) -> str:
        return f"tok{self.rng.randrange(10**9, 10**10)}x"

    def values(self, entity: str) -> dict[str, Any]:
        rng, model = self.rng, self.model
        values: dict[str, Any] = {key: f"{self.token()} word" for key in ("name", "secret", "note")}
        values["color"] = rng.choice(["red", "blue", "grey"])
        values["owner"] = rng.choice([one["id"] for one in model.people.values()])
        if entity == "beta":
            values["parent"] = rng.choice([id for name, id in model.records if name == "alpha"])
            values["mark"] = rng.randint(1, 99)
        return values

    def add(self, entity: str) -> None:
        values = self.values(entity)
        record = self.system.create(entity, values)
        self.model.records[entity, record.id] = {**values, "parents": {values.get("parent")}}
        self.note(entity, record.id, values)

    def note(self, entity: str, id: int, values: dict[str, Any]) -> None:
        for key, value in values.items():
            for token in TOKEN.findall(str(value)):
                self.model.tokens[token] = (entity, id, key)

    def touch(self, entity: str, id: int) -> None:
        values = {key: value for key, value in self.values(entity).items() if self.rng.random() < 0.6}
        self.system.change(entity, id, values)
        record = self.model.records[entity, id]
        record.update(values)
        if values.get("parent"):
            record["parents"].add(values["parent"])
        self.note(entity, id, values)


def said(error: BaseException) -> str:
    return f"{error} {getattr(error, 'problems', '')} {getattr(error, 'theirs', '')} {getattr(error, 'yours', '')} {getattr(error, 'missing', '')}"


def outputs(world: World, who: str) -> Any:
    """Everything every read path says, piece by piece, with where it came from."""
    door = world.company.door(who)

    def tried(name: str, work: Any) -> Any:
        try:
            return name, repr(work())
        except (Refused, Missing, Denied, RecordError) as error:
            return f"{name} (error)", said(error)

    for entity in ("alpha", "beta"):
        keys = FIELDS[entity] + ["loud", "louder", "best", "of", "stage", "id", "owner.name"]
        yield tried(f"list {entity}", lambda: [(dict(r), r.title, r.subtitle, r.stored, str(r)) for r in door.list(entity, limit=None)])
        yield tried(f"list deleted {entity}", lambda: [(dict(r), r.title) for r in door.list(entity, limit=None, deleted=True)])
        yield tried(f"as_of {entity}", lambda: [(dict(r), r.title, r.subtitle) for r in door.list(entity, limit=None, as_of=world.middle)])
        yield tried(f"frame {entity}", lambda: door.frame(entity).to_dict())
        yield tried(f"frame stored {entity}", lambda: door.frame(entity, stored=True, as_of=world.middle).to_dict())
        yield tried(f"titles {entity}", lambda: door.titles(entity, range(1, 40)))
        for key in keys:
            yield tried(f"frame {entity}.{key}", lambda: door.frame(entity, [key]).to_dict())
            yield tried(f"aggregate by {entity}.{key}", lambda: door.aggregate(entity, [key], {"n": "count"}))
            yield tried(f"aggregate by {entity}.{key} then", lambda: door.aggregate(entity, [key], {"n": "count"}, as_of=world.middle))
            yield tried(f"max {entity}.{key}", lambda: door.aggregate(entity, [], {"m": ("max", key)}))
            yield tried(f"where {entity}.{key}", lambda: [r.title for r in door.list(entity, f"{key} != 'nothing'", limit=None)])
            yield tried(f"order {entity}.{key}", lambda: [r.title for r in door.list(entity, order=[key], limit=None)])
        for path in ("parent.name", "parent.secret", "parent.note", "parent.loud"):
            yield tried(f"frame {path}", lambda: door.frame("beta", [path]).to_dict())
            yield tried(f"by {path}", lambda: door.aggregate("beta", [path], {"n": "count"}))
            yield tried(f"min {path}", lambda: door.aggregate("beta", [], {"n": ("min", path)}))
            yield tried(f"order {path}", lambda: [r.title for r in door.list("beta", order=[path], limit=None)])
        for id in range(1, 16):
            yield tried(f"get {entity} {id}", lambda: [dict(r := door.get(entity, id)), r.title, r.subtitle])
            yield tried(f"get deleted {entity} {id}", lambda: dict(door.get(entity, id, deleted=True)))
            yield tried(f"get then {entity} {id}", lambda: dict(door.get(entity, id, as_of=world.middle)))
            yield tried(f"history {entity} {id}", lambda: door.history(entity, id))
            yield tried(f"timeline {entity} {id}", lambda: door.timeline(entity, id))
            yield tried(f"timeline {entity} {id} find", lambda: door.timeline(entity, id, find="tok"))
            yield tried(
                f"back {entity} {id}", lambda: [(dict(r), r.title) for r in door.back(entity, id, "betas" if entity == "alpha" else "x")[0]]
            )
            yield tried(f"why {entity} {id}", lambda: door.why(entity, id, "secret"))
            yield tried(f"shows {entity} {id}", lambda: door.computed(entity, {"color": "red"}, id))
    yield tried("search", lambda: door.search("word", limit=200))
    yield tried("search tok", lambda: door.search("tok", limit=200))


SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_shows_what_a_role_may_not_see(seed: int, tmp_path: Any) -> None:
    world = World(seed, tmp_path)
    for who in world.model.people:
        visible = world.model.visible(who)
        for name, text in outputs(world, who):
            leaked = set(TOKEN.findall(text)) - visible
            assert not leaked, (who, name, leaked, text[:400])


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_role_may_see_is_shown(seed: int, tmp_path: Any) -> None:
    world = World(seed, tmp_path)
    for who in world.model.people:
        door = world.company.door(who)
        for entity in ("alpha", "beta"):
            mine = {id for name, id in world.model.records if name == entity and world.model.sees(who, entity, id)}
            assert {r.id for r in door.list(entity, limit=None)} == mine == set(door.ids(entity))
            assert door.count(entity) == len(mine)
            gone = {id for (name, id), r in world.model.records.items() if name == entity and r.get("gone")}
            back = {
                i for i in gone if all(world.model.scope(who, entity, act, world.model.records[entity, i]) for act in ("see", "delete"))
            }
            assert {r.id for r in door.list(entity, limit=None, deleted=True)} == back
            for id in gone - back:
                with pytest.raises(Missing):
                    door.get(entity, id, deleted=True)
                with pytest.raises(Missing):
                    door.history(entity, id)
            assert set(door.titles(entity, range(1, 40))) == mine
            assert set(door.frame(entity).index) == mine
            if mine:
                assert sum(row["n"] for row in door.aggregate(entity, ["color"], {"n": "count"})) == len(mine)
            hidden = world.model.hidden(who, entity)
            for record in door.list(entity, limit=None):
                for key in FIELDS[entity]:
                    assert (key in record) == (key not in hidden)
                    if key in record and key != "mark":
                        assert record[key] == world.model.records[entity, record.id][key]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_filter_cannot_be_used_to_guess(seed: int, tmp_path: Any) -> None:
    """Asking for a hidden value by equality, fragment, search, or behind a link finds exactly what may be seen."""
    world = World(seed, tmp_path)
    model = world.model
    for who in model.people:
        door = world.company.door(who)
        visible = model.visible(who)
        for token, (entity, id, key) in list(model.tokens.items()):
            value = model.records[entity, id].get(key)
            if value is None or token not in value:
                continue
            open_ = model.sees(who, entity, id) and key not in model.hidden(who, entity)
            for filter in (f"{key} == '{value}'", f"contains({key}, '{token}')", f"starts_with({key}, '{token}')"):
                try:
                    found = door.count(entity, filter)
                except Refused:
                    found = 0
                assert found == (1 if open_ else 0), (who, entity, id, key, filter)
            for hit in door.search(token, limit=50):
                assert set(TOKEN.findall(hit.title + hit.snippet)) <= visible, (who, token, hit)
            assert {(h.entity, h.id) for h in door.search(token, limit=50)} <= {k for k in model.records if model.sees(who, *k)}
            if entity == "alpha":
                try:
                    found = set(door.ids("beta", f"parent.{key} == '{value}'"))
                except Refused:
                    found = set()
                expected = {
                    i for (e, i), r in model.records.items() if e == "beta" and r["parent"] == id and model.sees(who, "beta", i) and open_
                } if "parent" not in model.hidden(who, "beta") else set()  # fmt: skip
                assert found == expected, (who, key)
                try:
                    told = set(door.ids("beta", f"not parent.{key} == '{value}'"))
                except Refused:
                    continue
                seen = {i for (e, i) in model.records if e == "beta" and model.sees(who, "beta", i)}
                assert told == seen - expected


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_writes_what_they_may_not(seed: int, tmp_path: Any) -> None:
    world = World(seed, tmp_path)
    model, rng = world.model, random.Random(seed + 1000)
    for _ in range(60):
        who = rng.choice(list(model.people))
        door = world.company.door(who)
        entity, id = rng.choice(list(model.records))
        record = model.records[entity, id]
        before = dict(world.company.table(entity).get(doc_id=id))
        visible = model.visible(who)
        act = rng.choice(["change", "change", "delete", "create", "move"])
        key = rng.choice([k for k in FIELDS[entity] if k not in ("mark", "parent")])
        value: Any = {"color": rng.choice(["red", "grey"]), "owner": rng.choice([p["id"] for p in model.people.values()])}.get(
            key, f"{world.token()} word"
        )
        may_see, hidden = model.sees(who, entity, id), model.hidden(who, entity)
        rights = model.rights[model.people[who]["role"]].get(entity, {})
        try:
            if act == "change":
                door.change(entity, id, {key: value})
            elif act == "delete":
                door.delete(entity, id)
            elif act == "move":
                door.move("alpha", id, "second") if entity == "alpha" else door.change(entity, id, {key: value})
            else:
                made = door.create(entity, {"color": "red", key: value})
        except (Missing, Denied, RecordError, Refused) as error:
            assert not set(TOKEN.findall(said(error))) - visible - set(TOKEN.findall(str(value))), said(error)
            assert dict(world.company.table(entity).get(doc_id=id)) == before
            if isinstance(error, Missing) and act != "create":
                assert not may_see
            if act == "change" and may_see and key not in hidden and model.scope(who, entity, "change", record):
                after = {**record, key: value}
                assert isinstance(error, Denied) and not model.scope(who, entity, "change", after) and key != "owner", (who, key, error)
            if act == "move" and isinstance(error, GateError) and "secret" in hidden:
                assert "secret" not in said(error)
            continue
        if act == "create":
            assert rights.get("create") == "all" and key not in hidden
            model.records[entity, made.id] = {
                "owner": model.people[who]["id"],
                "color": "red",
                key: value,
                "parent": None,
                "parents": set(),
            }
            world.note(entity, made.id, {key: value})
            continue
        assert may_see
        if act == "delete":
            assert model.scope(who, entity, "delete", record)
            record["gone"] = True
            continue
        assert model.scope(who, entity, "change", record)
        if act == "change" or entity == "beta":
            assert key not in hidden
            assert key == "owner" or model.scope(who, entity, "change", {**record, key: value})  # rights hold of what it becomes, too
            record[key] = value
            world.note(entity, id, {key: value})
