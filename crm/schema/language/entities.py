"""entities/*.yaml: kinds of record."""

from __future__ import annotations

from crm.schema.language.approvals import approval
from crm.schema.language.common import CONDITION, FIELD, FIELDS, HELP, ICON_KEY, LABEL, MODULE, NAMES, PLURAL, SORT, WAS, roles_struct
from crm.schema.language.fields import FIELD_SPEC
from crm.schema.shapes import Either, Key, ListOf, MapOf, Name, Percent, Struct, Text

FILTER = Struct(
    "filter",
    {
        "label": LABEL,
        "where": Key(CONDITION, "Which records.", required=True, example="owner == me"),
        "sort": Key(SORT, "Its own order; the list's otherwise.", example="[-profit]"),
    },
)
LIST = Struct(
    "list view",
    {
        "columns": Key(FIELDS, "Columns, by field or `link.field`.", example="[name, account, amount]"),
        "sort": Key(SORT, "Order; `-amount` is downwards.", example="[-amount]"),
        "filters": Key(
            MapOf(Either(CONDITION, FILTER), names=True, key="name", word="mapping of name to condition"),
            "Ready-made views: name and condition.",
            example="{mine: owner == me}",
        ),
    },
    hints={"fields": "Write `columns:`."},
)
ROWS = ListOf(Either(FIELD, ListOf(FIELD)), word="list of rows of fields")
FORM = MapOf(ROWS, key="group", word="mapping of group to rows of fields")
GROUPS = MapOf(FIELDS, key="group", word="mapping of group to fields")

KIND = Struct(
    "kind",
    {
        "label": LABEL,
        "plural": PLURAL,
        "icon": ICON_KEY,
        "show": Key(FIELDS, "Fields that only this kind (and others naming them) has.", example="[discount, credit_limit]"),
        "form": Key(FORM, "Groups that follow those of the entity's form; a field named here stands here only."),
        "list": Key(LIST, "Its own list."),
    },
)

CARD_ROLES = ["name", "job", "company", "email", "phone", "mobile", "fax", "web", "address"]
CARD_DOC = {
    "name": "The name of the person, or of the firm where the entity has no people.",
    "job": "What the person does there.",
    "company": "Who employs the person: a link, or a text for one that is not among the records.",
    "mobile": "The mobile telephone.",
    "fax": "The fax number.",
    "web": "The web address.",
    "address": "The postal address.",
}

ENTITY = Struct(
    "entity",
    {
        "entity": Key(Name(), "Its name, the same as the file's.", required=True, example="opportunity"),
        "label": LABEL,
        "plural": PLURAL,
        "icon": ICON_KEY,
        "help": HELP,
        "title": Key(Text("template"), "How a record is called: a template over its fields.", example='"{name}"'),
        "subtitle": Key(Text("template"), "The line below the title.", example='"{account} · {amount}"'),
        "owner": Key(FIELD, "The field that says whose record it is (a user).", example="owner"),
        "fields": Key(
            MapOf(FIELD_SPEC, names=True, strict=True, key="name", word="mapping of name to field"),
            "Its fields, in order.",
            required=True,
            example="{name: {type: text, required: true}}",
        ),
        "checks": Key(
            ListOf(
                Struct(
                    "check",
                    {
                        "that": Key(CONDITION, "What must be true.", required=True, example="close_on >= created_on"),
                        "say": Key(Text("text"), "What the user is told when it is not.", required=True, example="Too early."),
                        "field": Key(FIELD, "Beside which field it is said.", example="close_on"),
                    },
                )
            ),
            "Rules over one record.",
        ),
        "duplicates": Key(
            ListOf(
                Struct(
                    "rule for duplicates",
                    {
                        "same": Key(FIELDS, "These fields agree.", example="[account, name]"),
                        "like": Key(FIELD, "This field is alike.", example="name"),
                        "over": Key(Percent(), "How alike, 0 to 1.", example="0.9"),
                    },
                )
            ),
            "When two records are suspected to be the same.",
        ),
        "form": Key(FORM, "The form: groups of rows of fields.", example="{General: [[name, account], [amount]]}"),
        "list": Key(LIST, "The list: columns, order, ready-made views."),
        "quick": Key(FIELDS, "What quick add asks.", example="[name, phone]"),
        "facts": Key(GROUPS, "Left column of the record page.", example="{Facts: [amount, close_on]}"),
        "related": Key(NAMES, "Lists of linked records shown on the record page, by the `back` names.", example="[contacts]"),
        "kinds": Key(
            Struct(
                "kinds",
                {
                    "field": Key(FIELD, "The choice field that decides.", required=True, example="kind"),
                    "of": Key(MapOf(KIND, key="option"), "Each kind, by the option.", required=True),
                },
            ),
            "Kinds of this entity, each with own fields, form and list.",
        ),
        "timeline": Key(
            Struct(
                "timeline",
                {
                    "on": Key(FIELD, "When it happened: a date or datetime field.", required=True, example="done_on"),
                    "kind": Key(Text("field or word"), "A choice field, or one word for all.", example="call"),
                    "title": Key(Text("template"), "Headline.", example='"{subject}"'),
                    "text": Key(FIELD, "Field of the text."),
                    "result": Key(FIELD, "Field of the result."),
                    "who": Key(FIELD, "Field of the user."),
                    "icon": ICON_KEY,
                },
            ),
            "Its records are events of whatever they link to.",
        ),
        "approvals": Key(
            ListOf(approval(CONDITION, "The change that waits for it: it is refused until granted.", "status == 'sent'", must=True)),
            "What needs somebody's word before it may come true.",
            example="[{when: discount > 15%, before: status == 'sent', by: sales_manager}]",
        ),
        "remember": Key(
            Either(
                FIELDS,
                Struct(
                    "what is remembered",
                    {
                        "fields": Key(FIELDS, "Fields that begin as in the last one.", required=True, example="[source, duration]"),
                        "like": Key(FIELDS, "The last one that is alike in these, the first being the most important.", example="[kind, account]"),
                    },
                ),
                word="list of fields, or mapping with fields and like",
            ),
            "A new one begins with these values of the last one its user made.",
            example="{fields: [duration, direction], like: [kind, account]}",
        ),
        "card": Key(
            roles_struct("card", [], CARD_ROLES, CARD_DOC),
            "Which field takes what of a pasted signature or business card, where the types of the fields do not say it.",
            example="{job: job, mobile: mobile, company: employer}",
        ),
        "tree": Key(
            Either(
                FIELD,
                Struct(
                    "tree",
                    {
                        "by": Key(FIELD, "The link to the record above.", required=True, example="parent"),
                        "figures": Key(FIELDS, "Fields shown on each branch.", example="[won_revenue]"),
                    },
                ),
                word="field or tree",
            ),
            "Its records lie below each other: circles are refused, `tree` in a rollup is the record and all below it, and "
            "`within(link, 'North')` asks for a whole branch.",
            example="parent",
        ),
        "relation": Key(
            Struct(
                "relation",
                {
                    "one": Key(FIELD, "The link to the one end.", required=True, example="account"),
                    "other": Key(FIELD, "The link to the other end.", required=True, example="other"),
                    "word": Key(FIELD, "The choice between them; its options say `back:` for the other end.", required=True, example="kind"),
                },
            ),
            "Its records say how two others stand to each other; both ends show it in their words.",
        ),
        "centre": Key(
            Struct(
                "buying centre",
                {
                    "people": Key(FIELD, "A links field to people.", required=True, example="contacts"),
                    "role": Key(Text("column"), "The column of the links that says what each does.", required=True, example="role"),
                    "wants": Key(ListOf(Text("option"), single=True), "Roles that should not be missing.", example="[decides, uses]"),
                },
            ),
            "Who decides, influences, uses, blocks: drawn as a small map on the record page.",
        ),
        "statements": Key(
            MapOf(
                Struct(
                    "statement",
                    {
                        "label": LABEL,
                        "plus": Key(FIELDS, "What adds to it.", example="[invoiced]"),
                        "minus": Key(FIELDS, "What is taken off.", example="[cost_to_serve]"),
                        "total": Key(FIELD, "The field that is the outcome.", required=True, example="profit"),
                        "also": Key(FIELDS, "Figures that follow from it.", example="[lifetime_value]"),
                    },
                ),
                names=True,
                key="name",
                word="mapping of name to statement",
            ),
            "Sums told on the record page, each figure with its formula.",
            example="{earnings: {plus: [invoiced], minus: [cost], total: profit}}",
        ),
        "next": Key(
            Struct(
                "next step",
                {
                    "on": Key(FIELD, "The field with the day of the next step.", required=True, example="next_on"),
                    "text": Key(FIELD, "The field that says what it is.", example="next_step"),
                    "open": Key(CONDITION, "Which records need one; all when absent.", example="status != 'closed'"),
                },
            ),
            "The next step agreed about a record: open ones without it are shown as a fault. A pipeline says it below its `fields:`.",
            example="{on: next_on, text: next_step, open: status != 'closed'}",
        ),
        "board": Key(
            Either(
                FIELD,
                Struct(
                    "board",
                    {
                        "by": Key(FIELD, "The choice field whose options are the columns.", required=True, example="status"),
                        "ended": Key(NAMES, "Options of what is over: of those only the last months are shown.", example="[solved, closed]"),
                        "amount": Key(FIELD, "What is summed above the columns.", example="cost"),
                        "next": Key(FIELD, "The day a card shows; else that of the next step.", example="deadline"),
                    },
                ),
                word="field or mapping",
            ),
            "A board by a choice field, for records without a pipeline.",
            example="status",
        ),
        "indexes": Key(ListOf(ListOf(FIELD)), "Fields often filtered together.", example="[[owner, stage]]"),
        "module": MODULE,
        "was": WAS,
    },
    hints={"name": "Write `entity:` for the name and `label:` for what users see.", "columns": "Columns stand below `list:`."},
)
