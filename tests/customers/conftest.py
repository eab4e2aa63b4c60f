"""A small guild whose words nothing in `crm/` knows: houses below houses, in shires, with works, quarrels and promises."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store

YAML = {
    "crm.yaml": """
        name: guild
        currency: EUR
        timezone: Europe/Warsaw
        languages: [en]
        users: {entity: mason, name: name, login: login, role: rank}
    """,
    "entities/mason.yaml": """
        entity: mason
        title: "{name}"
        fields:
          name: {type: text, required: true}
          login: {type: text, required: true, unique: true}
          rank: {type: choice, options: {master: Master, fellow: Fellow, admin: Admin}}
          wage: {type: money}
    """,
    "entities/shire.yaml": """
        entity: shire
        title: "{name}"
        tree: above
        fields:
          name: {type: text, required: true}
          above: {type: link, to: shire, back: parts}
          lands: {type: tags}
          codes: {type: tags}
          from_size: {type: integer}
          to_size: {type: integer}
          trades: {type: choices, options: {stone: Stone, wood: Wood}}
    """,
    "entities/house.yaml": """
        entity: house
        title: "{name}"
        owner: keeper
        tree: {by: lord, figures: [worth]}
        statements:
          yield: {label: What it yields, plus: [paid], minus: [toil], total: yielded}
        fields:
          name: {type: text, required: true, search: true}
          lord: {type: link, to: house, back: vassals}
          keeper: {type: user, default: me}
          place: {type: address}
          trade: {type: choice, options: {stone: Stone, wood: Wood}}
          size: {type: integer}
          shire: {type: link, to: shire, back: houses, by_hand: true, match: [{value: place.country, in: lands}, {value: place.postcode, starts: codes}, {value: trade, in: trades}, {value: size, from: from_size, to: to_size}]}
          worth: {type: money}
          realm_worth: {type: money, rollup: sum(tree.worth)}
          realm: {type: integer, rollup: count(tree)}
          dearest: {type: money, rollup: max(tree.worth)}
          stone_worth: {type: money, rollup: "sum(tree.worth, trade == 'stone')"}
          rank:
            type: choice
            options: {great: Great, fair: Fair, small: Small}
            by_hand: true
            rule: [{when: worth >= 1000, value: great}, {when: worth >= 100 and size > 3, value: fair}, {when: worth != None, value: small}]
          size_word: {type: text, rule: [{when: size > 10, value: "concat('big ', name)"}, {value: name}]}
          caste: {type: choice, options: {a: A, b: B, c: C}, by_hand: true}
          built: {type: date}
          age: {type: choice, options: {new: New, old: Old}, by_hand: true, rule: [{when: built < today - 10y, value: old}, {value: new}]}
          third: {type: choice, options: {top: Top, rest: Rest}}
          paid: {type: money, rollup: sum(works.price)}
          toil: {type: money, rollup: sum(works.cost)}
          yielded: {type: money, formula: "coalesce(paid, 0) - coalesce(toil, 0)"}
        list: {filters: {richest: {where: worth != None, sort: [-worth]}}}
    """,
    "entities/work.yaml": """
        entity: work
        title: "{name}"
        owner: mason
        fields:
          name: {type: text, required: true}
          house: {type: link, to: house, back: works}
          mason: {type: user, default: me}
          price: {type: money}
          took: {type: duration}
          wage: {type: money, fixed: true, default: mason.wage}
          cost: {type: money, formula: wage * took / 60}
    """,
    "entities/bond.yaml": """
        entity: bond
        title: "{one} {word} {other}"
        relation: {one: one, other: other, word: word}
        fields:
          one: {type: link, to: house, required: true, back: bonds}
          other: {type: link, to: house, required: true, back: bound_by}
          word: {type: choice, options: {feeds: {label: feeds, back: is fed by}, knows: knows}}
    """,
    "entities/quarrel.yaml": """
        entity: quarrel
        title: "{about}"
        owner: judge
        fields:
          about: {type: text, required: true}
          house: {type: link, to: house, back: quarrels}
          grave: {type: boolean}
          state: {type: choice, default: open, options: {open: Open, away: Away, settled: Settled}}
          judge: {type: user, default: me}
          began: {type: datetime, required: true, default: now}
          hear_by: {type: datetime}
          heard: {type: datetime}
          settle_by: {type: datetime}
          settled: {type: datetime}
          idle: {type: duration}
          idle_since: {type: datetime}
          kept: {type: choice, options: {yes: Yes, "no": No}, rule: [{when: settled == None}, {when: settled <= settle_by, value: "yes"}, {value: "no"}]}
    """,
    "services/court.yaml": """
        service: court
        entity: quarrel
        fields: {opened: began, respond_by: hear_by, responded: heard, resolve_by: settle_by, resolved: settled, waited: idle, waiting_since: idle_since}
        waiting: state == 'away'
        done: state == 'settled'
        hours: {monday: 8:00-16:00, tuesday: 8:00-16:00, wednesday: 8:00-16:00, thursday: 8:00-16:00, friday: [8:00-12:00, 13:00-15:00]}
        place: house.place.country
        holidays: {all: [12-25], PL: [2026-05-01]}
        goals:
          - {when: grave, respond: 30min, resolve: 4h, always: true}
          - {respond: 2h, resolve: 10h}
    """,
    "classes/wealth.yaml": """
        class: wealth
        entity: house
        field: caste
        by: worth
        where: size != 13
        shares: {a: 80%, b: 95%, c: 100%}
    """,
    "classes/third.yaml": """
        class: third
        entity: house
        field: third
        by: size
        where: size != None
        parts: {top: 30%, rest: 100%}
        otherwise: rest
    """,
    "roles/master.yaml": """
        role: master
        rights: {"*": {see: all, create: all, change: all, delete: all}}
    """,
    "roles/fellow.yaml": """
        role: fellow
        rights:
          house: {see: own, create: all, change: own, delete: own}
          work: {see: own, create: all, change: own, hide: [wage, cost]}
          mason: {see: all, hide: [wage]}
          shire: {see: all}
          bond: {see: all, create: all}
          quarrel: {see: all, create: all, change: all}
    """,
    "roles/admin.yaml": """
        role: admin
        admin: true
        rights: {"*": {see: all, create: all, change: all, delete: all, export: all}}
    """,
}


@pytest.fixture(scope="session")
def guild_schema(tmp_path_factory: Any) -> Any:
    folder: Path = tmp_path_factory.mktemp("guild")
    for name, text in YAML.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return load(folder)


def opened(schema: Any) -> Company:
    company = Company(schema, open_store(":memory:"))
    door = company.door(SYSTEM)
    for name, rank, wage in (("otto", "master", 60), ("fritz", "fellow", 30), ("greta", "fellow", 45), ("ada", "admin", 90)):
        door.create("mason", {"name": name.title(), "login": name, "rank": rank, "wage": wage})
    return company


@pytest.fixture
def guild(guild_schema: Any) -> Any:
    """The company with its people."""
    company = opened(guild_schema)
    yield company
    company.store.close()


@pytest.fixture
def door(guild: Company) -> Any:
    return guild.door(guild.actor("ada"))
