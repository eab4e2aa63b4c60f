"""crm.yaml: name, languages, currency, navigation, and which entity holds the users, teams, goals …"""

from __future__ import annotations

from crm.schema.faults import meant, shorten
from crm.schema.language.common import CONDITION, CURRENCY, FIELD, FIELDS, ICON, ICON_KEY, LABEL, roles_struct, wrong_language
from crm.schema.model import CATEGORIES, LEVERS
from crm.schema.shapes import Either, Flag, Key, ListOf, MapOf, Name, Number, OneOf, Struct, Text, Whole


def _timezone(text: str) -> str | None:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(text)
        return None
    except (KeyError, ValueError, OSError):
        return f"'{shorten(text)}' is not a time zone." + meant(text, sorted(available_timezones()))


ENTITY_DOC = {"entity": "The entity."}
LINK = Struct(
    "navigation entry",
    {
        "list": Key(Text("entity"), "The list of an entity."),
        "board": Key(Text("pipeline"), "The board of a pipeline, or of an entity with a `board:`."),
        "dashboard": Key(Text("dashboard"), "A dashboard."),
        "report": Key(Text("report"), "A report."),
        "page": Key(Text("page"), "A page by name: home, calendar, reports, forecast, whatif, admin."),
        "view": Key(Text("name"), "Which ready-made view of the list."),
        "label": LABEL,
        "icon": ICON_KEY,
    },
)
COMPANY = Struct(
    "configuration",
    {
        "name": Key(Name(), "Its name.", required=True, example="sales"),
        "title": Key(Text("text"), "What users see above everything.", example="Sales"),
        "extends": Key(Text("name or path"), "The configuration it builds on: a shipped one by name, or a folder.", example="base"),
        "languages": Key(
            ListOf(Text("language", wrong_language, "E112", "Write its code: en, pl, sr, lt."), single=True),
            "Languages, the first is the default.",
            example="[en, pl]",
        ),
        "currency": Key(CURRENCY, "Base currency.", example="EUR"),
        "timezone": Key(
            Text("time zone", _timezone, "E114", "Write it as Europe/Warsaw (IANA)."),
            "Time zone of those who have none.",
            example="Europe/Warsaw",
        ),
        "country": Key(Text("country"), "Where phone numbers and addresses without a country are from (two letters).", example="PL"),
        "first_day": Key(
            OneOf("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "First day of the week.", example="monday"
        ),
        "rates": Key(
            MapOf(MapOf(Number(), key="day"), key="currency"),
            "What one unit of another currency is worth in the base currency, from a day on.",
            example="{USD: {2026-01-01: 0.92}}",
        ),
        "fiscal_start": Key(Whole(low=1, high=12), "Month the business year starts with.", example="1"),
        "users": Key(
            roles_struct("roles of the users", ["entity"], ["name", "login", "email", "role", "team", "language", "active"], ENTITY_DOC),
            "Which entity holds the users, and its fields by role.",
            example="{entity: user, login: login, role: role}",
        ),
        "teams": Key(
            roles_struct("roles of the teams", ["entity"], ["name", "parent", "head"], ENTITY_DOC), "Which entity holds the teams."
        ),
        "goals": Key(
            Struct(
                "roles of the goals",
                {
                    **roles_struct("", ["entity", "target", "from", "to"], ["owner", "team", "measure"], ENTITY_DOC).keys,
                    "of": Key(FIELDS, "Links to what else a goal may be for.", example="[territory, product]"),
                    "where": Key(CONDITION, "Only goals of what the pipeline brings in.", example="measure == 'revenue'"),
                },
            ),
            "Which entity holds the goals, and its fields by role.",
            example="{entity: goal, target: target, from: starts_on, to: ends_on, owner: owner}",
        ),
        "forecast_adjustments": Key(
            Struct(
                "roles of the adjustments",
                {
                    **roles_struct("", ["entity", "month", "amount"], ["who", "category", "forecast", "note"], ENTITY_DOC).keys,
                    "categories": Key(
                        MapOf(OneOf(*CATEGORIES), key="option"), "What the options of `category` mean, where they are called otherwise.",
                        example="{sure: committed}",
                    ),
                },
            ),
            "Which entity holds what managers add to a forecast, and its fields by role.",
            example="{entity: forecast_adjustment, month: month, amount: amount, who: who, category: category, note: note}",
        ),
        "scenarios": Key(
            Struct(
                "roles of the scenarios",
                {
                    **roles_struct("", ["entity", "name"], ["forecast", "note", "owner"], ENTITY_DOC).keys,
                    "levers": Key(
                        MapOf(Text("field"), key="lever"), f"The field of each lever: {', '.join(LEVERS)}.", example="{win_rate: win_rate}"
                    ),
                },
            ),
            "Which entity holds the scenarios of what-if, and its fields by role.",
            example="{entity: scenario, name: name, levers: {win_rate: win_rate, reps: reps}}",
        ),
        "activities": Key(
            Struct(
                "roles of the activities",
                {
                    **roles_struct(
                        "", ["entity", "subject", "due", "done"], ["kind", "text", "result", "owner", "duration", "priority"], ENTITY_DOC
                    ).keys,
                    "repeat": Key(
                        FIELD, "A choice with the options daily, weekly, monthly, yearly: done, it is planned anew.", example="repeat"
                    ),
                    "repeat_every": Key(FIELD, "Every how many days, weeks …: an integer.", example="every"),
                    "repeat_until": Key(FIELD, "The last day it is planned for: a date.", example="until"),
                    "rhythms": Key(
                        MapOf(OneOf("daily", "weekly", "monthly", "yearly"), key="option"),
                        "What the options of `repeat` mean, where they are called otherwise.",
                        example="{each_week: weekly}",
                    ),
                    "kinds": Key(MapOf(ICON, key="option"), "Icons by kind.", example="{call: phone, mail: mail}"),
                },
            ),
            "Which entity holds what is done with customers.",
        ),
        "campaigns": Key(
            Struct(
                "roles of the campaigns",
                {
                    "entity": Key(Text("entity"), "The entity of campaigns.", required=True),
                    "fields": Key(
                        MapOf(FIELD, key="role"),
                        "Its fields by role: name type start end budget cost list owner status.",
                        example="{name: name, type: type, start: start_on}",
                    ),
                    "members": Key(
                        MapOf(Text("field"), key="role"),
                        "Responses: `entity` and its fields by role: campaign response on … A campaign that starts gives each response the first option.",
                    ),
                    "lists": Key(
                        MapOf(Text("field"), key="role"), "Marketing lists: `entity` and its fields by role: name for living where members."
                    ),
                },
            ),
            "Which entities hold campaigns, responses and marketing lists.",
        ),
        "approvals": Key(
            Struct(
                "roles of the approvals",
                {
                    **roles_struct(
                        "",
                        ["entity", "subject", "status", "rule", "terms", "asked_by", "decided_by", "reason"],
                        ["why", "by", "asked_on", "approver", "decided_on"],
                        {
                            **ENTITY_DOC,
                            "subject": "The field that says what it is about: a text.",
                            "status": "The field that says how it stands: a choice.",
                            "rule": "The field that keeps which approval it is: a text.",
                            "terms": "The field that keeps what was approved: a text.",
                            "asked_by": "Who asked: a user.",
                            "decided_by": "Who decided: a user.",
                            "reason": "Why it was granted or refused: a text.",
                            "why": "Why it is asked for: a text.",
                            "by": "The roles that may grant it: a text.",
                            "asked_on": "When it was asked for.",
                            "approver": "Who it was handed to: a user.",
                            "decided_on": "When it was decided.",
                        },
                    ).keys,
                    "states": Key(
                        MapOf(Text("option"), key="state"),
                        "The options of `status` for pending, granted, refused and void, where they are called otherwise.",
                        example="{pending: waiting, granted: agreed}",
                    ),
                },
            ),
            "Which entity holds requests for approval. What they are about is linked by its link fields.",
            example="{entity: approval, subject: subject, status: status}",
        ),
        "mail": Key(
            Struct(
                "mail",
                {
                    "from": Key(Text("address"), "Who mails come from.", example="Sales <crm@example.org>"),
                    "address": Key(Text("address"), "Where the CRM is reached, for links in mails.", example="https://crm.example.org"),
                },
            ),
            "Who mails come from. The mail server stands in the environment (CRM_SMTP_URL).",
            example="{from: Sales <crm@example.org>}",
        ),
        "navigation": Key(
            MapOf(
                Either(
                    ListOf(Either(Text("entity or page"), LINK, word="entry")),
                    Struct(
                        "group",
                        {
                            "label": LABEL,
                            "icon": ICON_KEY,
                            "items": Key(ListOf(Either(Text("entity or page"), LINK, word="entry")), "The entries.", required=True),
                        },
                    ),
                    word="list of entries",
                ),
                names=True,
                key="group",
                word="mapping of group to entries",
            ),
            "What stands on the left: groups of entities, boards, dashboards.",
            example="{sales: [account, opportunity, {board: b2b}]}",
        ),
        "subjects": Key(
            MapOf(
                Struct(
                    "subject",
                    {
                        "label": LABEL,
                        "icon": ICON_KEY,
                        "reports": Key(ListOf(Text("report or KPI")), "What stands on it, in order.", required=True),
                    },
                ),
                names=True,
                key="subject",
                word="mapping of subject to reports",
            ),
            "The shelves of the catalogue of reports; what stands on none of them is found by its entity.",
            example="{money: {label: Money, icon: payments, reports: [revenue_by_month]}}",
        ),
        "modules": Key(MapOf(Flag(), names=True, key="module"), "Modules switched on or off.", example="{marketing: false}"),
    },
)
