"""Meeting packs by mail: queued in the outbox when their time has come, made when they are sent, one per reader and day.

Every reader of a scheduled pack gets the figures of the same moment, the one of the schedule, with their own rights and in their own
language. What is noted and what is queued are one transaction, and each reader's pack is a row of the outbox of its own: none is lost
whatever crashes when, and one that is sent again has the same figures and the same Message-ID (`crm.worker.sending`). A worker that was
away sends the newest one when it is back, if that is not older than `LATE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm.documents.html import html, text
from crm.documents.packs import Made, make
from crm.documents.pdf import pdf
from crm.errors import Denied, Missing, Refused
from crm.mail.templates import address_of
from crm.records.due import times
from crm.records.outbox import queue

if TYPE_CHECKING:
    from crm.records import Door
    from crm.records.company import Company
    from crm.schema.model import Pack

#: A pack whose time is longer gone is not sent any more.
LATE = timedelta(hours=20)


def queue_packs(company: Company, now: datetime) -> int:
    """Put the packs whose time has come into the outbox, a mail for each reader; how many mails."""
    return sum(queue_pack(company, pack, now) for pack in company.schema.packs.values() if pack.every and company.schema.is_on(pack.module))


def queue_pack(company: Company, pack: Pack, now: datetime) -> int:
    """One pack: what is noted (`pack.NAME`, all moments it was sent for) is what `since: meeting` counts from."""
    noted = f"pack.{pack.name}"
    kept = list(company.store.meta.get(noted, None) or [])
    begun = datetime.fromisoformat(kept[-1]) if kept else now - LATE
    due = [moment for trigger in pack.every for moment in times(company, trigger, max(begun, now - LATE), now)]
    if not due:
        return 0
    moment = max(due)
    with company.store.transaction():
        mails = 0
        for user in readers(company, pack):
            payload = {"user": user, "pack": pack.name, "at": moment.isoformat()}
            mails += queue(company, "mail", payload, key=f"pack|{pack.name}|{user}|{moment.date()}") is not None
        company.store.meta.set(noted, [*kept, moment.isoformat()])
    return mails


def readers(company: Company, pack: Pack) -> list[int]:
    """Whom a pack is sent to: everybody of its roles and those it names, who may sign in and have an address."""
    people = company.people
    found = [user for role in pack.roles for user in people.with_role(role)]
    for login in pack.people:
        try:
            actor = people.actor(login)
        except Missing:
            continue
        if actor.active and actor.id is not None:
            found.append(actor.id)
    return [user for user in dict.fromkeys(found) if address_of(company, user)]


def mail_to_me(door: Door, name: str) -> str:
    """Queue a pack, with the figures of now, for the user of this door; the address it goes to. Refused without one, or for a pack that
    is not there."""
    from crm.documents.packs import names

    if name not in names(door) or door.actor.id is None:
        raise Missing("There is no such pack.")
    to = address_of(door.company, door.actor.id)
    if not to:
        raise Refused("You have no e-mail address here. Ask your administrator to enter one.")
    now = door.company.now()
    queue(door.company, "mail", {"user": door.actor.id, "pack": name, "at": now.isoformat()}, key=f"pack|{name}|{door.actor.id}|{now.isoformat()}")
    return to


def compose(company: Company, payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message of a queued pack; None when there is nothing in it for its reader any more, or its reader is gone."""
    try:
        door = company.door(payload["user"])
        made = make(door, payload["pack"], datetime.fromisoformat(payload["at"]) if payload.get("at") else None)
    except (Missing, Denied):
        return None
    to = address_of(company, payload["user"])
    return {"to": to, **message(made)} if to else None


def message(made: Made) -> dict[str, Any]:
    """`{subject, text, html, images, files}` of a pack, by its channels."""
    t, pack = made.t, made.pack
    subject = f"{made.title}, {t.date(made.at.date())}"
    why = t("You get this because the pack is made for your role. Its figures hold what you may see.")
    files = [(f"{made.file_name}.pdf", "application/pdf", pdf(made))] if "pdf" in pack.channels else []
    if "mail" not in pack.channels:
        said = t("The pack is attached: {title}.", title=made.title)
        return {"subject": subject, "text": f"{said}\n\n{made.whom}\n", "files": files}
    images = {section.name: section.png() for section in made.sections if section.kind == "chart"}
    body = html(made, lambda section: f"cid:{section.name}", why)
    return {"subject": subject, "text": text(made), "html": body, "images": images, "files": files}
