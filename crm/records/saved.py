"""What people keep of their work: views of a list, and cards on dashboards. One's own, or shared with the team or with everybody.

    step = save(door, VIEW, entity="opportunity", name="big-late", values={"label": "Big and late", "w": "amount > 1e6"}, share="team")
    for one in saved(door, VIEW, entity="opportunity"): …
    step = forget(door, one.id)

Each is a document of the store's table `_saved`, written in a step that can be taken back like any other. What is kept are questions,
never answers: whoever looks at a shared one asks it under their own rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Missing, Refused

if TYPE_CHECKING:
    from crm.records.actor import Actor
    from crm.records.company import Company
    from crm.records.reading import Reading

#: The store's table.
TABLE = "_saved"
VIEW, CARD = "view", "card"
SHARES = ("", "team", "all")
#: So many of one kind are kept for one user: more are a mistake of a loop in a notebook.
MOST = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """One kept thing: `about` the entity of a view or the dashboard of a card, `values` what it is, `mine` whether this user made it."""

    id: int
    kind: str
    about: str
    name: str
    values: dict[str, Any]
    share: str = ""
    mine: bool = True
    user: int = 0


def declare(company: Company) -> None:
    """Tell the store how they are asked for."""
    fields = {"kind": "choice", "about": "text", "user": "link", "share": "choice", "gone": "boolean"}
    company.store.table(TABLE).declare(fields=fields, indexes=[["kind", "user"], ["kind", "share"]])


def saved(door: Reading, kind: str, about: str | None = None) -> list[Saved]:
    """What this user kept and what is shared with them, in the order it was made."""
    actor, company = door.actor, door.company
    cond = (where("kind") == kind) & ((where("user") == me(actor)) | where("share").one_of(["team", "all"]))
    if about is not None:
        cond &= where("about") == about
    rows = company.store.table(TABLE).find(cond, order_by=["doc_id"])
    return [_of(row, actor) for row in rows if not row.get("gone") and (row["user"] == me(actor) or _shared_with(company, row, actor))]


def one(door: Reading, kind: str, id: int) -> Saved:
    """One of them; `Missing` when it is not there or not for this user."""
    found = next((one for one in saved(door, kind) if one.id == id), None)
    if found is None:
        raise Missing("There is no such page.")
    return found


def save(door: Reading, kind: str, about: str, name: str, values: Mapping[str, Any], share: str = "") -> int:
    """Keep it, in the place of an own one of that name; the step comes back, to be undone with `door.undo`."""
    actor, table = door.actor, door.company.store.table(TABLE)
    if share not in SHARES:
        raise Refused("Share it with '{share}'? It is your own (''), your team's ('team') or everybody's ('all').", share=share)
    if share == "team" and actor.team is None:
        raise Refused("You are in no team.")
    mine = [row for row in table.find((where("kind") == kind) & (where("user") == me(actor))) if not row.get("gone")]
    same = next((row for row in mine if row["about"] == about and row["name"] == name), None)
    if same is None and len(mine) >= MOST:
        raise Refused("You have kept {n} of these already; remove some first.", n=MOST)
    row = {"kind": kind, "about": about, "name": name, "user": me(actor), "share": share, "values": dict(values)}
    with door.company.writing(actor, f"Kept: {kind} {name}") as writing:
        if same is None:
            table.insert(row)
        else:
            table.update(row, doc_ids=[same.doc_id])
        return writing.id


def forget(door: Reading, id: int) -> int:
    """Remove one's own, or (admins) a shared one; the step comes back."""
    table, actor = door.company.store.table(TABLE), door.actor
    row = table.get(doc_id=id)
    if row is None or row.get("gone") or (row["user"] != me(actor) and not (row["share"] and actor.admin)):
        raise Missing("There is no such page.")
    with door.company.writing(actor, f"Removed: {row['kind']} {row['name']}") as writing:
        table.update({"gone": True}, doc_ids=[id])
        return writing.id


def take_back(company: Company, actor: Actor, id: int, made: bool, before: Mapping[str, Any]) -> bool:
    """The undo of a step that kept, replaced or removed one; whether something changed. Only its maker, or an admin, may."""
    table = company.store.table(TABLE)
    row = table.get(doc_id=id)
    if row is None:
        return False
    if row["user"] != me(actor) and not actor.admin:
        raise Denied("You may not take this back.")
    old = {"gone": True} if made else {key: value for key, value in before.items() if key in ("gone", "values", "share", "name", "about")}
    if all(row.get(key) == value for key, value in old.items()):
        return False
    table.update(old, doc_ids=[id])
    return True


def me(actor: Actor) -> int:
    """Whose it is; 0 for the engine itself."""
    return actor.id or 0


def _of(row: Any, actor: Actor) -> Saved:
    mine = row["user"] == me(actor)
    return Saved(row.doc_id, row["kind"], row["about"], row["name"], dict(row["values"]), row["share"], mine, row["user"])


def _shared_with(company: Company, row: Mapping[str, Any], actor: Actor) -> bool:
    """Everybody's, or of somebody in whose team (or above whose team) this user is."""
    if row["share"] == "all" or actor.system:
        return bool(row["share"])
    try:
        owner = company.people.actor(row["user"])
    except Missing:
        return False
    return actor.team is not None and (actor.team in owner.team_ids or owner.team in actor.team_ids)
