"""A small company for automations and the worker: orders of a shop, whose words nothing in `crm/` knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store

BASE = {
    "crm.yaml": """
        name: shop
        timezone: Europe/Warsaw
        users: {entity: hand, name: name, login: login, email: mail, role: post, team: crew, active: active}
        teams: {entity: crew, parent: above}
        activities: {entity: doing, subject: what, due: planned, done: happened, owner: by}
    """,
    "entities/hand.yaml": """
        entity: hand
        title: "{name}"
        fields:
          name: {type: text, required: true}
          login: {type: text, required: true, unique: true}
          post: {type: choice, options: {boss: Boss, mate: Mate, captain: Captain}}
          crew: {type: team}
          mail: {type: email}
          active: {type: boolean, default: true}
    """,
    "entities/crew.yaml": """
        entity: crew
        title: "{name}"
        fields: {name: {type: text, required: true}, above: {type: link, to: crew}, head: {type: user}}
    """,
    "entities/buyer.yaml": """
        entity: buyer
        title: "{name}"
        owner: keeper
        fields:
          name: {type: text, required: true}
          mail: {type: email}
          keeper: {type: user, default: me}
          grade: {type: choice, default: new, options: {new: New, gold: Gold}}
          bought: {type: money, rollup: "sum(orders.price, step.outcome == 'won')"}
          secret: {type: text}
    """,
    "entities/order.yaml": """
        entity: order
        title: "{name}"
        owner: seller
        fields:
          name: {type: text, required: true}
          buyer: {type: link, to: buyer, back: orders}
          step: {type: stage}
          price: {type: money, min: 0}
          need: {type: text}
          note: {type: text}
          round: {type: integer}
          due: {type: date}
          seen: {type: datetime}
          urgent: {type: boolean}
          why: {type: text}
          seller: {type: user, default: me}
          secret: {type: text}
    """,
    "entities/doing.yaml": """
        entity: doing
        title: "{what}"
        owner: by
        fields:
          what: {type: text, required: true}
          planned: {type: datetime}
          happened: {type: datetime}
          by: {type: user, default: me}
          order: {type: link, to: order, back: doings}
    """,
    "pipelines/sale.yaml": """
        pipeline: sale
        entity: order
        stages: {asked: {}, offered: {require: [need]}, sold: {outcome: won}, gone: {outcome: lost}}
        moves: {forward: next, reopen: [boss]}
    """,
    "roles/boss.yaml": "role: boss\nadmin: true\n",
    "roles/captain.yaml": "role: captain\nrights: {'*': {see: all, create: true, change: all, delete: all}}\n",
    "roles/mate.yaml": "role: mate\nrights: {order: {see: own, create: true, change: own, hide: [secret]}, hand: {see: all}}\n",
}


def shops(tmp_path: Path) -> Iterator[Any]:
    """`shop({"name": yaml of an automation}, …)` → a company with anna (mate), ben (captain), eva (boss)."""
    opened: list[Company] = []

    def make(automations: dict[str, str], more: dict[str, str] | None = None, data: Path | None = None) -> Company:
        folder = tmp_path / f"config{len(opened)}"
        files = {**BASE, **(more or {}), **{f"automations/{name}.yaml": f"automation: {name}\n{dedent(text)}" for name, text in automations.items()}}
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(dedent(text))
        company = Company(load(folder), open_store(str(data or tmp_path / f"store{len(opened)}.db")))
        opened.append(company)
        system = company.door(SYSTEM)
        if not company.table("hand").count():
            crew = system.create("crew", {"name": "Deck"})
            for name, post in (("anna", "mate"), ("ben", "captain"), ("eva", "boss")):
                system.create("hand", {"name": name.title(), "login": name, "post": post, "crew": crew.id, "mail": f"{name}@yard.example"})
            system.change("crew", crew.id, {"head": company.actor("ben").id})
        return company

    yield make
    for company in opened:
        company.store.close()
