"""What waits for the word of the one who signed in: requests for approval, on home."""

from __future__ import annotations

from typing import Any

from crm.records import approvals
from crm.views.app import href

SHOWN = 6


def waiting_list(app: Any) -> dict | None:
    """The requests this user may decide, the oldest first, as a list of lines; None when nothing waits."""
    schema, door, t = app.schema, app.door, app.t
    roles = schema.approvals
    found = approvals.waiting(door) if roles is not None else []
    if not found:
        return None
    entity = schema.entities[roles.entity]
    items = []
    for record in found[:SHOWN]:
        about = approvals.about(door, record)
        rule = approvals.rule_of(schema, str(record._doc.get(roles.rule) or ""))
        where = entity.name, record.id
        if about is not None and schema.entities[about[0]].pipelines:
            where = about  # where it is decided with the whole deal in sight
        items.append(
            {
                "key": f"approval-{record.id}",
                "title": door.title(*about) if about else record.title,
                "sub": " · ".join(one for one in (record.get(roles.subject), app.company.people.name(record.get(roles.asked_by))) if one),
                "end": terms(app, about, rule),
                "tone": "soon",
                "href": href(view="record", entity=where[0], id=where[1]),
            }
        )
    return {
        "label": t("Waits for your word"),
        "glyph": entity.icon,
        "count": len(found),
        "items": items,
        "all": href(view="list", entity=entity.name) if len(found) > SHOWN else "",
    }


def terms(app: Any, about: tuple[str, int] | None, rule: Any) -> str:
    """The values a request is about, as far as this user may read them."""
    if about is None or rule is None:
        return ""
    record = app.door.get(*about)
    fields = app.schema.entities[about[0]].fields
    shown = [fields[key].display(record[key], app.shown) for key in rule.of if key in record and record[key] is not None]
    return ", ".join(shown[:2])
