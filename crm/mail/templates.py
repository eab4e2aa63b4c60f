"""What a mail says: payloads of the outbox made into messages, templates of `mails/*.yaml` rendered.

A payload is either a message already (`to`, `subject`, `text`, `html`) or names a template:

    {"template": "thanks", "entity": "opportunity", "id": 7, "by": 3, "to": "ann@firm.com"}       # or "user": 4 instead of "to"
    {"user": 4, "digest": "2026-11-23"}                                                            # see `digest.py`

`by` is the user in whose name it is written: the record is read through their rights, so a template can say nothing its sender may
not see. `user` is a user of the company: the mail goes to their address, in their language, and only while they are active.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.errors import Denied, Missing
from crm.mail import digest
from crm.mail.rendering import address_of, render

if TYPE_CHECKING:
    from crm.records.company import Company


def compose(company: Company, payload: Mapping[str, Any], now: datetime | None = None) -> dict[str, Any] | None:
    """The message a payload means: `{to, subject, text, html?}`; None when there is nothing to say any more (as of `now`)."""
    to, language = payload.get("to"), payload.get("language")
    if payload.get("user") is not None:
        try:
            reader = company.actor(payload["user"])
        except (Missing, Denied):
            return None
        language = language or reader.language
        to = address_of(company, payload["user"])
    if not to:
        return None
    kept = {key: payload[key] for key in ("key", "reply_to") if payload.get(key)}
    if "digest" in payload:
        written = digest.write(company, payload["user"], date.fromisoformat(payload["digest"]), now)
        return {"to": to, **written, **kept} if written else None
    if "template" not in payload:
        return {"to": to, **{key: payload[key] for key in ("subject", "text", "html") if payload.get(key)}, **kept}
    try:
        about = payload.get("entity"), payload.get("id")
        said = render(company, payload["template"], *about, payload.get("by"), language, payload.get("values"), payload.get("user"))
    except (Missing, Denied):
        return None
    return {"to": to, **said, **kept}
