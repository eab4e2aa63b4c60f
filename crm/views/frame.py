"""What stands in the frame: navigation with its counts, quick add, the bell, and what the command box finds."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from crm.analytics.forecast import names as forecasts
from crm.errors import Denied, Missing, Refused
from crm.records import agenda
from crm.views import typing
from crm.views.text import day_text, today_of

log = logging.getLogger("crm.views")
COUNT_LIMIT = 99


def frame_content(app: Any) -> dict:
    """The content of the frame part for the page that is shown now."""
    t, schema, page = app.t, app.schema, app.now
    late = bell(app)
    groups = navigation(app, late["count"])
    board = next((item for group in groups for item in group["items"] if item["match"].get("view") == "board"), None)
    role = schema.roles.get(app.actor.role)
    return {"brand": schema.title, "user": app.actor.name, "sub": role.label_in(t) if role else "", "groups": groups, "crumbs": page.crumbs if page else [],
            "title": (page.title if page else "") or t("Home"), "dark": app.dark, "bell": late, "add": quick_adds(app), "bar": board or {},
            "languages": [[code, LANGUAGE_NAMES.get(code, code)] for code in schema.languages], "language": app.t.language,
            "admin": bool(app.actor.admin), "signout": "signout"}


LANGUAGE_NAMES = {"en": "English", "pl": "Polski", "sr": "Srpski", "sr_Latn": "Srpski", "lt": "Lietuvių", "de": "Deutsch"}


def navigation(app: Any, late: int = 0) -> list[dict]:
    """Groups of links this user may follow; a count where it matters (overdue at Home, what waits in a list's `count` filter)."""
    t, schema = app.t, app.schema
    home = {"key": "home", "label": t("Home"), "glyph": "home", "href": "?view=home", "match": {"view": "home"}}
    if late:
        home |= {"count": str(late) if late <= COUNT_LIMIT else f"{COUNT_LIMIT}+", "tone": "late", "say": t("{n} overdue", n=late)}
    groups, first = [], [home]
    configured = schema.navigation or [_default_group(schema)]
    for number, group in enumerate(configured):
        items = []
        for link in group.links:
            if link.view == "home":
                continue
            items += _items(app, link)
        if items:
            groups.append({"key": group.key or str(number), "label": group.label_in(t), "items": items})
    return [{"key": "first", "label": "", "items": first}, *groups]


def _default_group(schema: Any) -> Any:
    from crm.schema.model import Group, Link
    return Group(key="all", label="", links=[Link("list", name) for name in schema.entities])


def _items(app: Any, link: Any) -> list[dict]:
    """The entries one link of the navigation makes: none where the user may not, one per pipeline for a board without a name."""
    t, schema, door = app.t, app.schema, app.door
    view, name = {"reports": "report", "dashboards": "dashboard"}.get(link.view, link.view), link.name
    if view == "list" and name in schema.entities:
        if not door.may("see", name):
            return []
        entity = schema.entities[name]
        label = link.label and t(link.label) or entity.plural_in(t)
        item = {"key": f"list-{name}-{link.filter or ''}", "label": label, "glyph": link.icon or entity.icon, "href": app.href(view="list", entity=name, v=link.filter),
                "match": {"view": "list|board" if entity.board is not None else "list", "entity": name} | ({"v": link.filter} if link.filter else {})}
        return [item | _waiting(app, entity)]
    if view == "board" and name in schema.entities and name not in schema.pipelines:
        if not door.may("see", name):
            return []
        return [{"key": f"board-{name}", "label": link.label and t(link.label) or schema.entities[name].plural_in(t), "glyph": link.icon or "view_kanban",
                 "href": app.href(view="board", entity=name), "match": {"view": "board", "entity": name}}]
    if view == "board":
        names = [name] if name in schema.pipelines else [one.name for one in schema.pipelines.values()]
        names = [one for one in names if door.may("see", schema.pipelines[one].entity)]
        if not name:
            first: dict[str, str] = {}                     # one board per entity; the page switches between its pipelines
            for one in names:
                first.setdefault(schema.pipelines[one].entity, one)
            names = list(first.values())
        label = (lambda one: t("Pipeline") if len(names) == 1 else f"{schema.entities[schema.pipelines[one].entity].label_in(t)}")
        return [{"key": f"board-{one}", "label": link.label and t(link.label) or label(one), "glyph": link.icon or "view_kanban", "href": app.href(view="board", pipeline=one),
                 "match": {"view": "board", "pipeline": _boards(app, one), "entity": f"{schema.pipelines[one].entity}|"}} for one in names]
    if view == "dashboard" and name in schema.dashboards:
        dash = schema.dashboards[name]
        if dash.roles and app.actor.role not in dash.roles and not app.actor.admin:
            return []
        return [{"key": f"dashboard-{name}", "label": link.label and t(link.label) or dash.label_in(t), "glyph": link.icon or dash.icon, "href": app.href(view="dashboard", name=name),
                 "match": {"view": "dashboard", "name": name}}]
    plain = {"calendar": ("Calendar", "calendar_today"), "report": ("Reports", "insights"), "kpis": ("KPIs", "speed"), "dashboard": ("Dashboards", "dashboard"),
             "forecast": ("Forecast", "query_stats"), "whatif": ("What if", "tune"),
             "admin": ("Administration", "admin_panel_settings")}
    if view == "admin" and not app.actor.admin:
        return []
    words = {"Calendar": t("Calendar"), "Reports": t("Reports"), "KPIs": t("KPIs"), "Dashboards": t("Dashboards"), "Administration": t("Administration"),
             "Forecast": t("Forecast"), "What if": t("What if")}
    label, glyph = plain.get(view, (view.replace("_", " ").capitalize(), "chevron_right"))
    if view not in app.pages or (view in ("forecast", "whatif") and not forecasts(app.door)):
        return []
    return [{"key": f"{view}-{name or ''}", "label": link.label and t(link.label) or words.get(label, label), "glyph": link.icon or glyph, "href": app.href(view=view, name=name),
             "match": {"view": view} | ({"name": name} if name else {})}]


def _boards(app: Any, name: str) -> str:
    """The pipelines whose board a link stands for, with `|` between: its own, those of the same records that have no link of theirs, and
    "" where an address that names none shows it."""
    schema = app.schema
    seen = [one.name for one in schema.pipelines.values() if app.door.may("see", one.entity)]
    linked = {link.name for group in schema.navigation or () for link in group.links if link.view == "board"}
    same = [one for one in seen if one != name and one not in linked and schema.pipelines[one].entity == schema.pipelines[name].entity]
    return "|".join([name, *same, *([""] if seen[0] in (name, *same) else [])])


def _waiting(app: Any, entity: Any) -> dict:
    """The count beside a list: what its filter `new` or `unassigned` or `waiting` holds, when it has one (new leads, open cases)."""
    for name in ("new", "unassigned", "waiting", "to_do"):
        if name in entity.list.filters:
            try:
                asked = entity.list.filters[name].where
                number = app.kept.get(("waiting", entity.name, name), app.kept.around(entity.name, [asked]),
                                      lambda asked=asked: app.door.count(entity.name, where=asked))
            except (Denied, Missing, Refused):
                return {}
            if number:
                label = entity.list.filters[name].label_in(app.t)
                return {"count": str(number) if number <= COUNT_LIMIT else f"{COUNT_LIMIT}+", "say": f"{label}: {number}"}
    return {}


def quick_adds(app: Any) -> list[dict]:
    """What `+` offers: entities with a `quick` list first, that the user may create."""
    t, schema = app.t, app.schema
    found = [entity for entity in schema.entities.values() if entity.quick and app.door.may("create", entity.name)]
    system = {schema.users.entity if schema.users else "", schema.teams.entity if schema.teams else ""}
    if not found:
        found = [entity for entity in schema.entities.values() if entity.name not in system and app.door.may("create", entity.name)]
    logs = schema.activities is not None and app.door.may("create", schema.activities.entity)
    adds = [{"name": entity.name, "label": entity.label_in(t), "glyph": entity.icon} for entity in found if entity.name not in system][:9]
    return [{"name": typing.LOG, "label": t("Log a call"), "glyph": "call"}, *adds] if logs else adds


def overdue(app: Any, limit: int = 8) -> tuple[list[dict], int]:
    """Planned things of this user whose day has passed, by role: activities not done, and records by their `next` role; how many."""
    from crm.views.steps import line
    late = agenda.steps(app.door, today_of(app.t) - timedelta(days=1), tz=app.t.tz)
    return [line(app, step) for step in late[:limit]], len(late)


def notice_list(app: Any, limit: int = 12) -> list[dict]:
    """The user's newest notices as lines: [{key, id, title, when, glyph, href, unread}]."""
    t, found = app.t, []
    today = today_of(t)
    for one in app.door.notices(limit):
        local = t.local(one.at)
        when = t.time(one.at) if local.date() == today else day_text(local.date(), today, t)[0] if (today - local.date()).days < 2 else t.date(local.date(), "d MMM")
        entity = app.schema.entities.get(one.entity or "")
        found.append({"key": f"n{one.id}", "id": one.id, "title": one.text, "when": when, "glyph": entity.icon if entity else "notifications", "unread": not one.seen,
                      "href": app.href(view="record", entity=one.entity, id=one.record) if entity and one.record else ""})
    return found


def bell(app: Any) -> dict:
    """{notices: [{key, id, title, when, glyph, href, unread}], unread, items: [{key, title, sub, when, glyph, href}], count, href}: what the user was
    told, the newest first, and overdue next steps, the oldest first."""
    today = today_of(app.t)
    try:
        asked = [one.name for one in agenda.entities(app.door)] + ([app.schema.activities.entity] if app.schema.activities else [])
        items, count = app.kept.get("late", frozenset().union(*map(app.kept.around, asked)), lambda: overdue(app))
    except (Denied, Missing):
        items, count = [], 0
    return {"notices": notice_list(app), "unread": app.door.unread(), "count": count, "href": "?view=home", "items": [
        {"key": step["key"], "title": step["title"], "sub": step["sub"], "glyph": step["glyph"], "href": step["href"], "when": day_text(step["when"], today, app.t)[0]} for step in items]}


def commands(app: Any, text: str) -> dict:
    """What the command box shows: records found, then views and commands whose words begin like what was typed."""
    t, text = app.t, (text or "").strip()
    groups = []
    if text:
        hits = app.door.search(text, limit=12)
        groups.append({"label": t("Found"), "items": [
            {"key": f"{hit.entity}-{hit.id}", "title": hit.title, "sub": f"{app.schema.entities[hit.entity].label_in(t)}" + (f" · {hit.snippet}" if hit.snippet and hit.snippet != hit.title else ""),
             "glyph": app.schema.entities[hit.entity].icon, "href": app.href(view="record", entity=hit.entity, id=hit.id)} for hit in hits]})
    from crm.words import fold
    wanted = fold(text)
    if logs := typing.commands(app, text):
        return {"groups": [{"label": t("Log what happened"), "items": logs}, *groups]}
    places = [{"key": "go-" + item["key"], "title": item["label"], "glyph": item["glyph"], "href": item["href"], "end": group["label"]}
              for group in app.frame.content.get("groups", []) for item in group["items"]]
    acts = [{"key": "new-" + add["name"], "title": t("New: {what}", what=add["label"]), "glyph": "add", "act": "add:" + add["name"], **({"end": "n"} if not number else {})}
            for number, add in enumerate(add for add in app.frame.content.get("add", []) if add["name"] != typing.LOG)]
    acts += [{"key": "paste-" + add["name"], "title": t("Paste a signature: {what}", what=add["label"]), "glyph": "contact_page", "act": "paste:" + add["name"]}
             for add in app.frame.content.get("add", []) if typing.offers(app, add["name"])]
    if app.schema.activities is not None:
        acts.insert(0, {"key": "log", "title": t("Log a call"), "glyph": "call", "act": "log", "end": "l", "also": fold(t("Log what happened"))})
    acts += [{"key": "dark", "title": t("Light mode") if app.dark else t("Dark mode"), "glyph": "dark_mode", "act": "dark"},
             {"key": "settings", "title": t("Settings"), "glyph": "tune", "href": "?view=settings"}]
    acts[-2]["also"] = fold(f"{t('Light mode')} {t('Dark mode')}")

    acts.append({"key": "keys", "title": t("Keys"), "glyph": "keyboard", "act": "keys", "end": "?"})

    def match(item: dict) -> bool:
        words = f"{fold(item['title'])} {item.get('also', '')}".split()
        return all(any(word.startswith(part) for word in words) for part in wanted.split())

    if wanted:
        places, acts = [item for item in places if match(item)][:6], [item for item in acts if match(item)][:6]
    else:
        recent = app.recent()
        if recent:
            groups.append({"label": t("Recently opened"), "items": recent})
        places, acts = places[:8], [*acts[:6], acts[-1]]
    sure = bool(groups and wanted and any(wanted in fold(item["title"]) or wanted in fold(item["sub"]) for item in groups[0]["items"]))
    rest = [{"label": t("Go to"), "items": places}, {"label": t("Do"), "items": acts}]
    return {"groups": [*groups, *rest] if sure or not wanted else [*rest, *groups]}         # a guess at a misspelt name stands behind a sure command
