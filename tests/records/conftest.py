"""A small company of its own for the tests of the door: a boat yard, whose words nothing in `crm/` knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store

YAML = {
    "crm.yaml": """
        name: yard
        title: Boat yard
        currency: EUR
        timezone: Europe/Warsaw
        languages: [en]
        users: {entity: hand, name: name, login: login, role: post, team: crew, active: active}
        teams: {entity: crew, parent: above}
        activities: {entity: doing, kind: kind, subject: what, text: story, due: planned, done: happened, result: outcome, owner: by}
        campaigns:
          entity: push
          fields: {name: name, type: type, start: starts, list: circle, owner: lead}
          members: {entity: echo, campaign: push, response: said, skipper: skipper}
          lists: {entity: circle, name: name, for: of, where: condition, members: skippers}
    """,
    "entities/hand.yaml": """
        entity: hand
        title: "{name}"
        fields:
          name: {type: text, required: true, search: true}
          login: {type: text, required: true, unique: true}
          post: {type: choice, options: {captain: Captain, mate: Mate, clerk: Clerk, guest: Guest, owner_of_all: Owner}}
          crew: {type: team, back: hands}
          active: {type: boolean, default: true}
    """,
    "entities/crew.yaml": """
        entity: crew
        title: "{name}"
        fields:
          name: {type: text, required: true}
          above: {type: link, to: crew, back: below}
    """,
    "entities/skipper.yaml": """
        entity: skipper
        label: Skipper
        plural: Skippers
        title: "{name} ({harbour})"
        subtitle: "{mail}"
        owner: keeper
        fields:
          name: {type: text, required: true, search: true, max: 80}
          harbour: {type: text, search: true}
          mail: {type: text, unique: true, search: true}
          grade: {type: choice, default: new, index: true, options: {new: New, good: Good, gold: Gold}}
          wealth: {type: money, min: 0, label: Wealth}
          secret: {type: text, search: true, label: Secret note}
          keeper: {type: user, default: me, index: true}
          friends: {type: links, to: skipper, back: friend_of, with: {since: {type: date}}}
          number: {type: autonumber, format: "S-{n:04}"}
          rich: {type: boolean, formula: wealth > 1000}
          boats: {type: integer, rollup: count(orders)}
          paid: {type: money, rollup: "sum(orders.price, step.outcome == 'won')"}
          open_money: {type: money, rollup: "sum(orders.price, step.open)"}
          last_seen: {type: datetime, rollup: max(doings.happened), index: true}
          first_price: {type: money, rollup: min(orders.price)}
          share: {type: money, formula: "if_(boats > 0, paid / boats, None)"}
    """,
    "entities/order.yaml": """
        entity: order
        label: Boat order
        title: "{name}"
        owner: seller
        fields:
          name: {type: text, required: true, search: true}
          skipper: {type: link, to: skipper, required: true, back: orders, index: true}
          way: {type: pipeline, default: normal}
          step: {type: stage, index: true}
          price: {type: money, min: 0}
          cost: {type: money, min: 0}
          margin: {type: money, formula: price - cost}
          chance: {type: percent, default: step.probability}
          expected: {type: money, formula: price * chance}
          due: {type: date, index: true}
          next: {type: date}
          wood: {type: choice, options: {oak: Oak, pine: Pine}}
          why: {type: text, required: "step.outcome == 'lost'", show: "step.outcome == 'lost'"}
          seller: {type: user, default: me, index: true}
          mentor: {type: link, to: skipper, where: grade == 'gold'}
          advisers: {type: links, to: skipper, where: grade != 'new'}
          told: {type: text, formula: "concat(skipper.name, ' / ', name)"}
          parts:
            type: lines
            columns: {item: {type: text}, source: {type: link, to: skipper}, worth: {type: money}, maker: {type: link, to: skipper, where: grade == 'gold'}}
          tags: {type: tags}
        checks:
          - {that: due >= today - 3650d, say: That is long ago., field: due}
          - {that: price == None or cost == None or cost <= price, say: It costs more than it brings.}
        list: {columns: [name, skipper, step, price, due], sort: [-due], filters: {mine: seller == me}}
    """,
    "entities/doing.yaml": """
        entity: doing
        title: "{what}"
        owner: by
        timeline: {on: on, kind: kind, title: "{what}", text: story, result: outcome, who: by}
        fields:
          what: {type: text, required: true, search: true}
          kind: {type: choice, default: visit, options: {visit: Visit, call: Call}}
          story: {type: long_text, search: true}
          outcome: {type: choice, options: {good: Good, bad: Bad}}
          planned: {type: datetime}
          happened: {type: datetime}
          on: {type: datetime, formula: "coalesce(happened, planned)", index: true}
          by: {type: user, default: me}
          skipper: {type: link, to: skipper, back: doings, index: true}
          order: {type: link, to: order, back: doings}
          push: {type: link, to: push, back: doings}
          follows: {type: link, to: doing, back: next_ones}
    """,
    "entities/fault.yaml": """
        entity: fault
        title: "{text}"
        timeline: {on: created_on, kind: fault, text: text}
        fields:
          text: {type: text, required: true, search: true}
          skipper: {type: link, to: skipper, back: faults}
          grave: {type: boolean}
    """,
    "entities/push.yaml": """
        entity: push
        title: "{name}"
        owner: lead
        fields:
          name: {type: text, required: true}
          type: {type: choice, options: {regatta: Regatta}}
          starts: {type: date}
          circle: {type: link, to: circle, back: pushes}
          lead: {type: user, default: me}
          reached: {type: integer, rollup: count(echoes)}
          warm: {type: integer, rollup: "count(echoes, said == 'keen')"}
    """,
    "entities/circle.yaml": """
        entity: circle
        title: "{name}"
        fields:
          name: {type: text, required: true}
          of: {type: choice, options: {skipper: Skippers}}
          condition: {type: text}
          skippers: {type: links, to: skipper, back: circles}
    """,
    "entities/echo.yaml": """
        entity: echo
        title: "{said}"
        fields:
          push: {type: link, to: push, required: true, back: echoes}
          skipper: {type: link, to: skipper, back: echoes}
          said: {type: choice, default: nothing, options: {planned: Planned, nothing: Nothing, keen: Keen}}
    """,
    "campaigns/regatta.yaml": """
        campaign: regatta
        label: Regatta
        tasks: {hire: {label: Hire a jetty, after: start - 10d}}
        activities:
          ask: {label: Ask them, kind: call, after: start - 5d}
          thank: {label: Thank them, kind: visit, after: ask + 15d}
    """,
    "pipelines/normal.yaml": """
        pipeline: normal
        label: Normal
        entity: order
        fields: {stage: step, amount: price, close: due, owner: seller, next: next}
        stages:
          talk: {label: Talk, probability: 10%}
          draw: {label: Drawing, probability: 30%, require: [wood]}
          build: {label: Building, probability: 80%, require: [price, due]}
          sold: {label: Sold, outcome: won, require: [price]}
          gone: {label: Gone, outcome: lost, require: [why]}
        moves: {forward: next, back: any, lost: any, reopen: [captain]}
    """,
    "pipelines/quick.yaml": """
        pipeline: quick
        label: Quick
        entity: order
        fields: {stage: step, amount: price, close: due, owner: seller, next: next}
        stages:
          ask: {label: Ask, probability: 20%}
          give: {label: Given, outcome: won}
        moves: {forward: any, back: any, reopen: any}
    """,
    "roles/captain.yaml": """
        role: captain
        label: Captain
        rights:
          "*": {see: team, create: all, change: team, delete: team, export: team}
          hand: {see: all}
          crew: {see: all}
    """,
    "roles/mate.yaml": """
        role: mate
        label: Mate
        rights:
          skipper: {see: team, create: all, change: own, delete: own, export: own, hide: [secret, wealth], read_only: [grade]}
          order: {see: own, create: all, change: own, delete: own, hide: [cost]}
          doing: {see: team, create: all, change: own, delete: own}
          fault: {see: created_by == me, create: all, change: created_by == me, delete: created_by == me}
          hand: {see: all, hide: [login]}
          crew: {see: all}
    """,
    "roles/clerk.yaml": """
        role: clerk
        label: Clerk
        rights:
          skipper: {see: all, hide: [name]}
          order: {see: "skipper.grade == 'gold' or seller == me", create: all, change: "seller == None or seller == me"}
          hand: {see: all}
    """,
    "roles/guest.yaml": """
        role: guest
        label: Guest
        rights: {crew: {see: all}}
    """,
    "roles/owner_of_all.yaml": """
        role: owner_of_all
        label: Owner
        admin: true
        rights: {"*": {see: all, create: all, change: all, delete: all, export: all}}
    """,
}


def write(folder: Path, extra: dict[str, str] | None = None) -> Path:
    """The configuration as files; `extra` adds or replaces some."""
    import textwrap

    for name, text in {**YAML, **(extra or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return folder


def people(company: Company) -> None:
    """Two crews, one below the other, and one apart."""
    door = company.door(SYSTEM)
    with door.step("people"):
        fleet = door.create("crew", {"name": "Fleet"}).id
        north = door.create("crew", {"name": "North", "above": fleet}).id
        south = door.create("crew", {"name": "South"}).id
        for name, post, crew in [
            ("anna", "captain", fleet), ("ben", "mate", north), ("cleo", "mate", north), ("dora", "mate", south),
            ("emil", "clerk", south), ("fay", "guest", south), ("gus", "captain", south), ("olga", "owner_of_all", None),
        ]:  # fmt: skip
            door.create("hand", {"name": name.title(), "login": name, "post": post, "crew": crew})


@pytest.fixture(scope="session")
def yard_folder(tmp_path_factory: Any) -> Path:
    return write(tmp_path_factory.mktemp("yard"))


@pytest.fixture(scope="session")
def yard(yard_folder: Path) -> Any:
    """The loaded configuration."""
    return load(yard_folder)


@pytest.fixture
def company(yard: Any) -> Any:
    """A company with its people over an empty store."""
    store = open_store(":memory:")
    made = Company(yard, store)
    people(made)
    yield made
    store.close()


@pytest.fixture
def doors(company: Company) -> dict[str, Any]:
    """Everybody's door by login."""
    return {name: company.door(name) for name in ("anna", "ben", "cleo", "dora", "emil", "fay", "gus", "olga")} | {
        "system": company.door(SYSTEM)
    }
