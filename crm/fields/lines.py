"""A table inside a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import param

from crm.errors import Refused
from crm.expressions.values import RowEnv
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, is_empty
from crm.fields.links import make_fields
from crm.words import Words


class Outside:
    """What a formula of a column sees beside its row: nothing but today."""

    me = None

    def __init__(self, t: Words) -> None:
        self.now = t.now() if t else datetime.now(UTC)
        self.today = self.now.date()


@FIELD_TYPES.add
class Lines(Field):
    """A table inside a record: each column is a field, each row a line (the products of an offer). At most 1,000 lines.

    A column with a `formula` over the other columns is computed. One with a `default` over them, over what they link to
    (`product.price`) or over the record itself (`offer.account.discount`) begins with it in a new line: choosing a product fills its
    price, and what was typed stays. `listed` looks the cell up in price lists first. Kept as a list of `{column: stored value}`.
    """

    name = "lines"
    kind = "lines"
    settings: ClassVar[dict[str, Setting]] = {
        "columns": Setting("fields", "The columns: key: {type: …}"),
        "max": Setting("integer", "How many lines (default 1000)"),
    }
    examples = {'[{"item": "Pump", "price": "1.200,50"}, {}]': [{"item": "Pump", "price": 120050}]}
    refuses = {
        "two pumps": "This is not a table.",
        '[{"item": "Pump", "price": "cheap"}]': "Line 1, Price: 'cheap' is not an amount of money.",
        '[{"colour": "red"}]': "Line 1: there is no column called 'colour'.",
    }
    example_spec: ClassVar[dict[str, Any]] = {"columns": {"item": {"type": "text"}, "price": {"type": "money"}}}
    operators: tuple[str, ...] = ("empty", "filled")
    editor_type = "lines"
    sortable = False
    many = True

    def setup(self) -> None:
        self.max = self.number_setting("max", 1000) or 1000
        self.columns: dict[str, Field] = make_fields(self.spec.get("columns"), self, "columns")

    @property
    def filling(self) -> list[Field]:
        """The columns whose empty cells begin with something, each after those it reads."""
        done: list[Field] = []

        def visit(column: Field) -> None:
            if column in done or column in waiting:
                return
            waiting.append(column)
            for key in self.read_by(column):
                if key in self.columns:
                    visit(self.columns[key])
            if self.begins(column):
                done.append(column)

        waiting: list[Field] = []
        for column in self.columns.values():
            visit(column)
        return done

    @property
    def reads(self) -> list[str]:
        """The columns that others begin with something by."""
        read = {key for column in self.filling for key in self.read_by(column)}
        return [key for key in self.columns if key in read]

    @staticmethod
    def begins(column: Field) -> bool:
        """Whether an empty cell of a column begins with something."""
        return (column.default is not None or bool(column.listed)) and not column.computed

    def read_by(self, column: Field) -> set[str]:
        """The columns that what a column begins with is taken by."""
        paths = {path.split(".")[0] for path in getattr(column.default, "uses", ())}
        return {key for key in paths | {one.by for one in column.listed} if key in self.columns}

    def bind(self, schema: Any) -> None:
        for column in self.columns.values():
            column.path = f"{self.path}.columns.{column.key}"
            column.bind(schema)

    def read(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, str):
            try:
                typed = json.loads(typed[:2_000_000])
            except ValueError:
                raise Refused("This is not a table.") from None
        if isinstance(typed, Mapping):
            typed = [typed]
        if not isinstance(typed, (list, tuple)):
            raise Refused("This is not a table.")
        if len(typed) > self.max:
            raise Refused("At most {max} lines.", max=self.max)
        rows = [self.row(number, row, t) for number, row in enumerate(typed, 1) if not is_empty(row)]
        return [row for row in rows if row]

    def row(self, number: int, row: Any, t: Words) -> dict[str, Any]:
        """One line, cleaned; a problem names the line and the column."""
        if not isinstance(row, Mapping):
            raise Refused("This is not a table.")
        kept: dict[str, Any] = {}
        for key, value in row.items():
            column = self.columns.get(str(key))
            if column is None:
                if str(key).startswith("_"):
                    continue  # what an editor keeps beside the columns
                raise Refused("Line {n}: there is no column called '{name}'.", n=number, name=str(key)[:40])
            if column.computed:
                continue
            try:
                cleaned = column.clean(value, t)
            except Refused as error:
                raise Refused("Line {n}, {column}: {problem}", n=number, column=column.label_in(t), problem=error) from error
            if cleaned is not None:
                kept[column.key] = cleaned
        if kept:
            self.complete([kept], t, number, whole=False)
            self.compute(kept, t)
        return {key: kept[key] for key in self.columns if key in kept}

    def complete(self, rows: list[dict[str, Any]], t: Words, first: int = 1, whole: bool = True) -> None:
        """Refuse lines that lack what is required; `first` is the number of the first of them. Without `whole` those columns are passed over
        whose cells begin with something, because they have not been filled yet."""
        for number, row in enumerate(rows, first):
            for column in self.columns.values():
                if column.required is True and column.key not in row and not column.computed and (whole or not self.begins(column)):
                    raise Refused("Line {n}: {column} is missing.", n=number, column=column.label_in(t))

    def loosely(self, row: Mapping[str, Any], t: Words) -> dict[str, Any]:
        """The cells of a line that is being typed, as far as they can be read."""
        kept: dict[str, Any] = {}
        for key, value in row.items():
            column = self.columns.get(str(key))
            if column is not None and not column.computed:
                with suppress(Refused):
                    kept[column.key] = column.clean(value, t)
        return {key: value for key, value in kept.items() if value is not None}

    def compute(self, row: dict[str, Any], t: Words) -> None:
        """Fill the columns that have a formula."""
        outside = Outside(t)
        for column in self.columns.values():
            if hasattr(column.formula, "evaluate"):
                value = column.formula.evaluate(RowEnv(row, outside))
                row.pop(column.key, None)
                if value is not None:
                    row[column.key] = column.clean(value, t)

    def totals(self, value: Any) -> dict[str, Any]:
        """`{column: sum}` of the columns that a formula gives as a number or money; a price or a discount adds up to nothing."""
        found: dict[str, Any] = {}
        for key, column in self.columns.items():
            there = [row[key] for row in value or () if row.get(key) is not None] if column.computed else []
            if there and column.kind in ("money", "number", "integer"):
                found[key] = sum(there)
        return found

    def worked_out(self, typed: Any, ctx: Shown = PLAIN) -> dict[str, Any]:
        """What the computed columns say of rows as they are being typed, and what they add up to: `{"rows": [{column: text}], "totals":
        {column: text}}`. A row that is not finished, or wrong, says nothing yet: what is wrong is told when it is saved."""
        rows: list[dict[str, Any]] = []
        for number, row in enumerate(typed if isinstance(typed, (list, tuple)) else [], 1):
            try:
                rows.append(self.row(number, row, ctx.t) if number <= self.max else {})
            except Refused:
                rows.append({})
        computed = [column for column in self.columns.values() if column.computed]
        return {
            "rows": [{column.key: column.display(row[column.key], ctx) for column in computed if column.key in row} for row in rows],
            "totals": {key: self.columns[key].display(total, ctx) for key, total in self.totals(rows).items()},
        }

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        return [
            {key: self.columns[key].to_json(kept) for key, kept in row.items() if key in self.columns and kept is not None} for row in value
        ]

    def from_json(self, stored: Any) -> Any:
        if not isinstance(stored, (list, tuple)):
            return None
        rows = []
        for row in stored:
            if isinstance(row, Mapping):
                made = {key: column.from_json(row[key]) for key, column in self.columns.items() if key in row}
                rows.append({key: value for key, value in made.items() if value is not None})
        return rows or None

    def to_text(self, value: Any) -> str:
        if not value:
            return ""
        rows = [{key: self.columns[key].to_text(kept) for key, kept in row.items() if key in self.columns} for row in value]
        return json.dumps(rows, ensure_ascii=False)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return [{key: self.columns[key].typed(kept, ctx) for key, kept in row.items() if key in self.columns} for row in value or []]

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        if not value:
            return ""
        totals = [self.columns[key].display(total, ctx) for key, total in self.totals(value).items()]
        return " · ".join([ctx.t("{n} lines", n=len(value)), *totals])

    def table(self, value: Any, ctx: Shown = PLAIN) -> dict[str, Any]:
        """The whole table for showing: `{"columns": [{"key", "label", "align"}], "rows": [[cell]]}`."""
        columns = [{"key": key, "label": column.label_in(ctx.t), "align": column.align} for key, column in self.columns.items()]
        return {
            "columns": columns,
            "rows": [[column.cell(row.get(key), ctx) for key, column in self.columns.items()] for row in value or []],
        }

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": self.display(value, ctx), "table": self.table(value, ctx)} if value else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        filling = [column.key for column in self.filling]
        columns = [
            {
                "key": key,
                "label": column.label_in(ctx.t),
                "align": column.align,
                "computed": column.computed,
                "fills": key in filling,
                "editor": column.editor(None, ctx),
            }
            for key, column in self.columns.items()
        ]
        return {"columns": columns, "max": self.max, "of": self.path, "reads": self.reads}

    def editor(self, value: Any = None, ctx: Shown = PLAIN) -> dict[str, Any]:
        result = super().editor(value, ctx)
        result["text"] = self.display(value, ctx)
        result["worked"] = self.worked_out(value, ctx)
        if value:
            result["table"] = self.table(value, ctx)  # texts of links for rows that are there already
        return result

    def parameter(self) -> param.Parameter:
        return param.List(default=None, allow_None=True, label=self.label, doc=self.help or None)

    @property
    def search_paths(self) -> list[str]:
        return []
