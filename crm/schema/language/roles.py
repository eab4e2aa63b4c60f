"""roles/*.yaml: rights."""

from __future__ import annotations

from crm.schema.language.common import FIELDS, HELP, LABEL, NAMES, WAS
from crm.schema.shapes import Either, Expr, Flag, Key, MapOf, Name, OneOf, Struct, Text

SCOPE = Expr("none, own, team, all or a condition")
RIGHTS = Struct(
    "rights",
    {
        "see": Key(SCOPE, "Which records the role sees.", example="team"),
        "create": Key(Either(Flag(), OneOf("none", "all", "own", "team"), word="yes or no"), "May create.", example="true"),
        "change": Key(SCOPE, "Which it may change.", example="own"),
        "delete": Key(SCOPE, "Which it may delete.", example="none"),
        "export": Key(SCOPE, "Which it may export.", example="own"),
        "hide": Key(FIELDS, "Fields it does not see.", example="[margin]"),
        "read_only": Key(FIELDS, "Fields it sees and does not change.", example="[credit_limit]"),
    },
    hints={
        "read": "Write `see:`.",
        "update": "Write `change:`.",
        "write": "Write `change:`.",
        "view": "Write `see:`.",
        "edit": "Write `change:`.",
    },
)
ROLE = Struct(
    "role",
    {
        "role": Key(Name(), "Its name, the same as the file's.", required=True, example="rep"),
        "label": LABEL,
        "help": HELP,
        "rights": Key(
            MapOf(Either(SCOPE, RIGHTS, word="scope or mapping"), key="entity"),
            "Rights by entity; `'*'` is for those not named. One word (`own`) is meant for every act.",
            example="{account: {see: all, change: own}}",
        ),
        "home": Key(Text("dashboard"), "The dashboard it starts with.", example="rep_home"),
        "admin": Key(Flag(), "May configure, and everything not restricted by its rights."),
        "modules": Key(NAMES, "The modules it sees; all when absent.", example="[sales]"),
        "was": WAS,
    },
)
