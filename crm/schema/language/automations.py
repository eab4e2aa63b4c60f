"""automations/*.yaml: when, if, then."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, FIELDS, NAMES, thing
from crm.schema.shapes import Any_, Either, Flag, Key, ListOf, MapOf, OneOf, Struct, Text

LENGTH = Text("length of time")
WHEN = Struct(
    "trigger",
    {
        "changed": Key(FIELDS, "One of these fields has another value than before.", example="[amount, close_on]"),
        "stage": Key(NAMES, "The record enters one of these stages (`pipeline.stage` for one pipeline only).", example="offer"),
        "date": Key(FIELD, "The date (or moment) in this field comes.", example="close_on"),
        "after": Key(LENGTH, "So long after the date; before it with a minus.", example="-3d"),
        "at": Key(Text("time of day"), "Not before this time of the day.", example="'08:00'"),
        "silent": Key(LENGTH, "For so long nothing has happened with the record.", example="30d"),
        "since": Key(FIELD, "The field that says when something happened last; the newest activity when absent.", example="last_contact"),
        "every": Key(OneOf("day", "week", "month"), "On a schedule.", example="week"),
        "on": Key(Text("day"), "Which day: of the week by name, of the month by number or `last`.", example="monday"),
    },
    hints={"before": "Write `after: -3d`.", "created": "Write `when: created`.", "days": "Write `silent: 30d`."},
)
THEN = Struct(
    "effect",
    {
        "set": Key(MapOf(Any_(), key="field"), "Give fields of the record a value, or an expression.", example="{priority: high}"),
        "of": Key(FIELD, "With `set`: the fields of the record this link leads to.", example="account"),
        "create": Key(Text("entity"), "Make a record.", example="activity"),
        "values": Key(
            MapOf(Any_(), key="field"),
            "With `create`: its fields. `record` is the record itself; texts may name fields in braces.",
            example='{subject: "Thank {account}", owner: owner, opportunity: record, due_on: now + 2d}',
        ),
        "assign": Key(
            Text("expression or rule"), "Give the record to a user, or share it out by an assignment rule.", example="owner.team.leader"
        ),
        "notify": Key(
            ListOf(Text("user or role"), single=True), "Tell users: expressions that lead to one, or roles.", example="[owner, sales_manager]"
        ),
        "text": Key(Text("template"), "With `notify` and `approve`: what is said; fields in braces.", example='"{name} is won"'),
        "mail": Key(Text("template"), "Send a mail by this template of mails/.", example="thanks"),
        "to": Key(
            ListOf(Text("expression"), single=True), "With `mail`: expressions that lead to an address or a user.", example="contact.email"
        ),
        "webhook": Key(Text("address"), "Post the record as JSON to this address, signed, tried again until taken.", example="https://erp.example/hook"),
        "secret": Key(Text("name"), "With `webhook`: the environment variable that holds the key it is signed with.", example="ERP_SECRET"),
        "send": Key(FIELDS, "With `webhook`: the fields that are sent; all own fields when absent.", example="[name, amount]"),
        "approve": Key(NAMES, "Ask for an approval: the roles that may grant it.", example="sales_manager"),
    },
    hints={"task": "Write `create: activity` (the entity that holds activities).", "email": "Write `mail:`.", "url": "Write `webhook:`."},
)
AUTOMATION = thing(
    "automation",
    {
        "entity": Key(Text("entity"), "Whose records it is about.", required=True, example="opportunity"),
        "when": Key(
            ListOf(Either(Text("created or changed"), WHEN, word="`created`, `changed` or a trigger"), single=True),
            "When it begins; several: any of them.",
            required=True,
            example="{stage: won}",
        ),
        "if": Key(
            CONDITION, "Only for records for which this is true; `was.amount` is the value before the change.", example="amount > 10000"
        ),
        "then": Key(ListOf(THEN, single=True), "What it does, in this order, all or nothing.", required=True, example="[{set: {priority: high}}]"),
        "on_import": Key(Flag(), "Also when records are imported from a file; not when absent."),
        "off": Key(Flag(), "Switched off."),
    },
    example="thanks",
    hints={"on": "Write `when:`.", "do": "Write `then:`.", "where": "Write `if:`.", "trigger": "Write `when:`."},
)
