"""imports/**/*.yaml: maps of other systems' files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.schema.faults import Faults
from crm.schema.language.common import FIELD, FIELDS, HELP, LABEL
from crm.schema.shapes import Any_, Either, Key, ListOf, MapOf, OneOf, Shape, Struct, Text
from crm.yamlfile import Map, Node


class TargetShape(Struct):
    """Where a column goes; `otherwise` may hold another target."""

    def __init__(self) -> None:
        super().__init__("target", {})
        self.keys = {
            "to": Key(Text("field"), "The field; `address.city` is a part of one.", required=True, example="account"),
            "find": Key(Text("field"), "For links: the field of the linked record that holds this value.", example="external_id"),
            "values": Key(MapOf(Any_(), key="text in the file"), "Text in the file → value.", example="{Prospect: prospect}"),
            "otherwise": Key(
                Either(Text("word or field"), OtherwiseShape(self), word="reject, empty, keep or a target"),
                "When the value is not found: `reject` the row, leave `empty`, `keep` it, or another target.",
                example="empty",
            ),
            "format": Key(Text("text"), "How the value is written, when it is not clear.", example="%d.%m.%Y"),
        }


@dataclass
class OtherwiseShape(Shape):
    of: Struct
    word: str = "target"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        self.of.check(node, faults, name)

    def json(self) -> dict[str, Any]:
        return {"type": "object"}

    def takes(self, node: Node) -> bool:
        return isinstance(node, Map)


TARGET = TargetShape()
IMPORT = Struct(
    "import map",
    {
        "import": Key(Text("name"), "Its name: the path of the file below imports/.", example="salesforce/Account"),
        "entity": Key(Text("entity"), "What the rows become.", required=True, example="account"),
        "label": LABEL,
        "help": HELP,
        "file": Key(Text("file name"), "The file it is for.", example="Account.csv"),
        "columns": Key(
            MapOf(Either(FIELD, TARGET, ListOf(Either(FIELD, TARGET)), word="field or target"), key="column"),
            "Column of the file → field, target, or several targets (the first that takes the value).",
            required=True,
            example="{Name: name, AccountId: {to: account, find: external_id}}",
        ),
        "match": Key(FIELDS, "Fields that say a record is already there.", example="[external_id]"),
        "constants": Key(MapOf(Text("value"), key="field"), "The same value in every row.", example="{source: import}"),
        "defaults": Key(MapOf(Text("value"), key="field"), "The value where the file has none.", example="{kind: customer}"),
        "skip": Key(
            MapOf(ListOf(Text("text"), single=True), key="column"),
            "Rows left out, by the text of a column (`empty`, `filled`).",
            example="{IsDeleted: ['1', 'true']}",
        ),
        "ignore": Key(ListOf(Text("column"), single=True), "Columns known and left out.", example="[PhotoUrl]"),
        "gates": Key(OneOf("check", "skip"), "Whether stages ask for their required fields.", example="skip"),
        "dates": Key(OneOf("auto", "iso", "dmy", "mdy", "ymd"), "Order of day, month, year.", example="dmy"),
        "decimal": Key(OneOf("auto", ".", ","), "Decimal sign.", example="','"),
        "encoding": Key(Text("encoding"), "Encoding when it cannot be told.", example="cp1250"),
        "delimiter": Key(Text("character"), "Delimiter when it cannot be told.", example="';'"),
    },
)
