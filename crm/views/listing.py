"""The same records asked for by an address and shown as list, board, calendar or chart: saved views, search, filters, sort, columns.

The address carries everything: `v` the saved view (a name of the YAML's `filters`, `kind:<kind>`, or `own:<name>` of the user),
`q` the words searched for, `f` the filters (`stage:is:offer;amount:over:1000`), `w` an expression that came with a link (from a
chart), `sort` (`-amount`), `page`, `pipeline`, `day`, `mode`. Columns are kept with the user, views by `crm.records.saved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from crm.errors import Denied, Missing, Refused
from crm.expressions import ExpressionError
from crm.fields.base import OPERATORS, Shown
from crm.records import agenda, saved
from crm.views.app import href
from crm.views.insights import promise
from crm.views.text import help_of

PAGE = 50


def read_filters(text: str) -> list[tuple[str, str, Any]]:
    """`stage:is:offer;amount:between:1,5` as [(field, operator, typed value)]; several values are a list. What is broken is left out."""
    found: list[tuple[str, str, Any]] = []
    for piece in text.split(";"):
        parts = piece.split(":", 2)
        if len(parts) < 2 or not parts[0]:
            continue
        values = [unquote(one) for one in parts[2].split(",")] if len(parts) == 3 and parts[2] != "" else []
        value: Any = values if parts[1] in ("between", "any_of") else values[0] if values else None
        found.append((parts[0], parts[1], value))
    return found


def write_filters(filters: Iterable[tuple[str, str, Any]]) -> str:
    """The reverse of `read_filters`."""
    pieces = []
    for field, op, value in filters:
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        pieces.append(f"{field}:{op}:{','.join(quote(str(one), safe='') for one in values)}".rstrip(":") if values else f"{field}:{op}")
    return ";".join(pieces)


def keep_view(door: Any, entity: str, label: str, values: dict, share: str = "") -> tuple[str, int]:
    """Keeps a view of a list under a label; gives its name and the step."""
    label = label.strip()[:60]
    name = "".join(letter if letter.isalnum() else "-" for letter in label.lower()) or "view"
    return name, saved.save(door, saved.VIEW, entity, name, {"label": label, **values}, share)


class Titles:
    """Titles of linked records, fetched in one go per entity instead of one by one. Called like `Shown.title`."""

    def __init__(self, door: Any) -> None:
        self.door = door
        self.known: dict[tuple[str, int], str | None] = {}

    def __call__(self, entity: str, number: int) -> str | None:
        if (entity, number) not in self.known:
            self.load(entity, [number])
        return self.known[entity, number]

    def load(self, entity: str, numbers: Iterable[int]) -> None:
        missing = sorted({one for one in numbers if one is not None and (entity, one) not in self.known})
        if missing:
            try:
                titles = self.door.titles(entity, missing)
            except (Denied, Missing, Refused):
                titles = {}
            self.known.update({(entity, one): titles.get(one) for one in missing})

    def load_records(self, records: Iterable[Any], keys: Sequence[str]) -> None:
        """All that the link fields `keys` of these records point to."""
        wanted: dict[str, set[int]] = {}
        for record in records:
            fields = self.door.schema.entities[record.entity].fields
            for key in keys:
                to = getattr(fields.get(key), "to", None)
                value = record.get(key) if to else None
                for one in value if isinstance(value, list) else [value]:
                    number = one.get("id") if isinstance(one, dict) else one
                    if to and isinstance(number, int):
                        wanted.setdefault(to, set()).add(number)
        for to, numbers in wanted.items():
            self.load(to, numbers)


def shown(app: Any, titles: Titles | None = None) -> Shown:
    """The context fields show their values in; with `titles` many links cost one question."""
    return Shown(t=app.t, title=titles or Titles(app.door), schema=app.schema)


def short_date(t: Any, value: date, today: date | None = None) -> str:
    """A day as short as it stays clear: Today, Yesterday, 27 Nov, 27 Nov 2025."""
    today = today or t.today()
    days = (value - today).days
    if days in (-1, 0, 1):
        return (t("Today"), t("Tomorrow"), t("Yesterday"))[days]
    pattern = "d MMM" if value.year == today.year else "d MMM y"
    return t.date(value, pattern)


def local_day(t: Any, value: Any) -> date | None:
    """The user's calendar day of a date or a moment."""
    if isinstance(value, datetime):
        return t.local(value).date()
    return value if isinstance(value, date) else None


def due_tone(t: Any, day: date | None) -> str:
    """How a planned day is coloured: late before today, soon today."""
    if day is None:
        return "none"
    today = t.today()
    return "late" if day < today else "soon" if day == today else ""


class Listing:
    """What one address asks for. `shape` is the way it is shown; `where` what the door is asked; `rows`, `views`, `chips` what is drawn."""

    def __init__(self, app: Any, entity: str, args: dict[str, str], shape: str = "list") -> None:
        if entity not in app.schema.entities or not app.door.may("see", entity):
            raise Missing("This is not there, or not for you.")
        self.app, self.t, self.door, self.schema, self.shape = app, app.t, app.door, app.schema, shape
        self.entity = app.schema.entities[entity]
        self.args = {key: value for key, value in args.items() if value not in (None, "")}
        self.args["entity"] = entity
        self.readable = self.door.readable(entity)
        self.titles = Titles(self.door)
        self.shown = shown(app, self.titles)
        self.q = self.args.get("q", "")
        self.filters = [one for one in read_filters(self.args.get("f", "")) if one[0] in self.fields and one[1] in self._operators(one[0])]
        self.own = self._own_views()
        self.view = self.args.get("v") or self._first_view()
        if self.view not in self._known():
            self.view = "all"

    # -- fields and columns
    @property
    def fields(self) -> dict[str, Any]:
        """The fields this user may read, in the order of the YAML."""
        return {key: one for key, one in self.entity.fields.items() if key in self.readable}

    def field(self, path: str) -> Any | None:
        """The field at a path (`amount`, `account.industry`), None where the user may not read along it."""
        head, _, rest = path.partition(".")
        one = self.fields.get(head)
        if one is None or not rest:
            return one
        to = getattr(one, "to", None)
        return self.schema.entities[to].fields.get(rest) if to and rest in self.door.readable(to) else None

    def _operators(self, key: str) -> Sequence[str]:
        return tuple(getattr(self.fields[key], "operators", ()) or ())

    @property
    def kind(self) -> str | None:
        """The kind of record this list is about, where it is about one (A1)."""
        kinds = self.entity.kinds
        if kinds is None:
            return None
        for field, op, value in self.filters:
            if field == kinds.field and op in ("is", "any_of"):
                chosen = value if isinstance(value, str) else value[0] if value and len(value) == 1 else None
                if chosen in kinds.of:
                    return chosen
        if self.view.startswith("kind:"):
            return self.view[5:]
        return self._kind_views().get(self.view)

    def _kind_views(self) -> dict[str, str]:
        """{view of the YAML: kind} where its condition is just `kind == 'x'`."""
        kinds, found = self.entity.kinds, {}
        if kinds is not None:
            for name, one in self.entity.list.filters.items():
                text = str(getattr(one.where, "text", "") or getattr(one.where, "source", "")).replace('"', "'").replace(" ", "")
                for kind in kinds.of:
                    if text == f"{kinds.field}=='{kind}'":
                        found[name] = kind
        return found

    @property
    def list_view(self) -> Any:
        return self.entity.list_of(self.kind)

    @property
    def columns(self) -> list[str]:
        """The columns shown, by path: the user's choice, else the YAML's, else the first fields."""
        chosen = self.app.preference(self._columns_key(), None)
        if self.view.startswith("own:") and self.own.get(self.view[4:], {}).get("columns"):
            chosen = chosen or self.own[self.view[4:]]["columns"]
        wanted = (
            chosen
            or self.list_view.columns
            or self.entity.list.columns
            or [key for key, one in self.fields.items() if not getattr(one, "system", False)][:6]
        )
        return [path for path in wanted if self.field(path) is not None] or list(self.fields)[:1]

    def _columns_key(self) -> str:
        return f"columns:{self.entity.name}:{self.kind or ''}"

    def set_columns(self, paths: Sequence[str]) -> None:
        self.app.prefer(self._columns_key(), [path for path in paths if self.field(path) is not None] or None)

    def column_choice(self) -> list[dict]:
        """Every field as a column to choose, the chosen ones first and in their order."""
        chosen = self.columns
        rest = [key for key in self.fields if key not in chosen and getattr(self.fields[key], "name", "") not in ("files", "file", "lines")]
        return [{"name": path, "label": self.label(path), "on": path in chosen} for path in [*chosen, *rest]]

    def label(self, path: str) -> str:
        head, _, rest = path.partition(".")
        words = self.fields[head].label_in(self.t)
        end = self.field(path) if rest else None
        return f"{words}: {end.label_in(self.t)}" if end is not None else words

    @property
    def sort(self) -> list[str]:
        wanted = self.args.get("sort", "")
        if wanted and self.field(wanted.lstrip("-")) is not None:
            return [wanted]
        own = (self.own_view() or {}).get("sort", "")
        if own and self.field(own.lstrip("-")) is not None:
            return [own]
        ready = self.entity.list.filters.get(self.view)
        usual = ready.sort if ready is not None and ready.sort else self.list_view.sort or self.entity.list.sort
        return [one for one in usual if self.field(one.lstrip("-")) is not None]

    # -- saved views
    def _own_views(self) -> dict[str, dict]:
        """{name: view} of this user and of those who shared theirs; one that asks for what this user may not read is not there."""
        found: dict[str, dict] = {}
        for one in saved.saved(self.door, saved.VIEW, self.entity.name):
            view = {**one.values, "id": one.id, "mine": one.mine, "shared": bool(one.share)}
            if self._may_ask(view):
                found[one.name if one.mine else f"{one.name}-{one.id}"] = view
        return found

    def _may_ask(self, view: dict) -> bool:
        """Whether every field a view filters by is open to this user: else it would hold more than it says, or tell what is hidden."""
        if any(key not in self.fields for key, _, _ in read_filters(view.get("f", ""))):
            return False
        try:
            self.door.query(self.entity.name, view.get("w") or None)
        except (Refused, ExpressionError):
            return False
        return True

    def _known(self) -> set[str]:
        kinds = self.entity.kinds
        return {
            "all",
            *self.entity.list.filters,
            *(f"kind:{one}" for one in (kinds.of if kinds else ())),
            *(f"own:{one}" for one in self.own),
        }

    def _first_view(self) -> str:
        return "all"

    def view_list(self) -> list[tuple[str, str, Any]]:
        """[(name, label, condition)] of all tabs: everything, the YAML's, the kinds, the user's own."""
        found: list[tuple[str, str, Any]] = [("all", self.t("All"), None)]
        found += [
            (name, one.label_in(self.t), one.where)
            for name, one in self.entity.list.filters.items()
            if all(self.field(key.lstrip("-")) is not None for key in one.sort)
        ]
        kinds = self.entity.kinds
        if kinds is not None and kinds.field in self.fields:
            named = set(self._kind_views().values())
            said = {label for _, label, _ in found}
            found += [
                (f"kind:{key}", kind.plural_in(self.t), self.fields[kinds.field].condition("is", key, self.t))
                for key, kind in kinds.of.items()
                if key not in named and kind.plural_in(self.t) not in said
            ]
        found += [(f"own:{name}", one.get("label", name), None) for name, one in self.own.items()]
        return found

    def view_where(self, name: str) -> list[Any]:
        """What a saved view asks for."""
        if name.startswith("own:"):
            one = self.own.get(name[4:], {})
            base = one.get("v", "all")
            asked = [one["w"]] if one.get("w") else []
            return [*(self.view_where(base) if not base.startswith("own:") else []), *self._conditions(read_filters(one.get("f", ""))), *asked]
        for known, _, where in self.view_list():
            if known == name:
                return [] if where is None else [where]
        return []

    def own_view(self) -> dict | None:
        return self.own.get(self.view[4:]) if self.view.startswith("own:") else None

    def save_view(self, label: str) -> str:
        """Keeps view, filters, search and sort under a name; gives the view's name."""
        base = self.own_view() or {}
        asked = [one for one in (base.get("w"), self.args.get("w")) if one]
        kept = {
            "v": base.get("v", "all") if base else self.view,
            "f": write_filters([*read_filters(base.get("f", "")), *self.filters]),
            "w": " and ".join(f"({one})" for one in asked) if len(asked) > 1 else "".join(asked),
            "q": self.q or base.get("q", ""),
            "sort": self.args.get("sort") or base.get("sort", ""),
            "columns": self.columns,
        }
        return f"own:{keep_view(self.door, self.entity.name, label, kept)[0]}"

    def drop_view(self) -> int:
        """Removes the own view that is shown; the step comes back."""
        return saved.forget(self.door, (self.own_view() or {}).get("id", 0))

    # -- what the door is asked
    def _conditions(self, filters: Iterable[tuple[str, str, Any]]) -> list[Any]:
        found = []
        for key, op, value in filters:
            field = self.fields.get(key)
            if field is None:
                continue
            try:
                if op == "within":  # through the door's own scope: what lies below records the user may not see counts as not there
                    found.append(f"within({key}, {int(value)})")
                    continue
                found.append(field.condition(op, value, self.t))
            except (Refused, ValueError, TypeError):
                continue
        return found

    @property
    def where(self) -> list[Any]:
        """Everything the address asks for, ANDed by the door."""
        found = [*self.view_where(self.view), *self._conditions(self.filters)]
        if self.args.get("w"):
            found.append(self.args["w"])
        found += self.pipeline_where()
        return found

    def pipeline_where(self) -> list[Any]:
        """The pipeline of the address, where these records may be in several."""
        chosen, key = self.args.get("pipeline"), self.entity.pipeline_field
        return [self.fields[key].condition("is", chosen, self.t)] if chosen in self.entity.pipelines and key in self.fields else []

    @property
    def find(self) -> str:
        own = self.own_view()
        return self.q or (own or {}).get("q", "")

    @property
    def page(self) -> int:
        return max(1, int(self.args["page"])) if self.args.get("page", "").isdigit() else 1

    def records(self, limit: int = PAGE, offset: int = 0, extra: Sequence[Any] = (), order: Sequence[str] | None = None) -> list[Any]:
        return self.door.list(
            self.entity.name,
            where=[*self.where, *extra],
            order=list(self.sort if order is None else order),
            limit=limit,
            offset=offset,
            find=self.find,
        )

    def count(self, extra: Sequence[Any] = ()) -> int:
        return self.counted([*self.where, *extra], self.find)

    def counted(self, where: list[Any], find: str) -> int:
        """How many records there are; the same question is asked by every page of a list and by each of its tabs."""
        return self.app.kept.get(
            ("count", self.entity.name, repr(where), find),
            self.app.kept.around(self.entity.name, where),
            lambda: self.door.count(self.entity.name, where=where, find=find),
        )

    def ids(self, limit: int = 100_000) -> list[int]:
        """The ids of everything that matches."""
        return list(self.door.ids(self.entity.name, where=self.where, find=self.find))[:limit]

    # -- what is drawn
    def link(self, **changes: Any) -> str:
        """The address with some of it changed; another filter starts on the first page."""
        args = {"view": self.shape, **self.args, **changes}
        if "page" not in changes:
            args.pop("page", None)
        return href(**args)

    def bar(self) -> dict[str, Any]:
        """Content of `listbar.js`: tabs, chips, shapes."""
        views = [
            {"name": name, "label": label, "href": self.link(v=name if name != "all" else "", f="", q="", w="", sort="")}
            for name, label, _ in self.view_list()
        ]
        return {
            "entity": self.entity.name,
            "views": views,
            "view": self.view,
            "q": self.q,
            "chips": self.chips(),
            "shape": self.shape,
            "shapes": self.shapes(),
            "unsaved": bool(self.filters or self.q or self.args.get("w")),
            "own": bool((self.own_view() or {}).get("mine")),
        }

    def counts(self) -> list[dict]:
        """The tabs again, with how many each holds."""
        found = []
        for tab, (name, _, _) in zip(self.bar()["views"], self.view_list(), strict=True):
            own = self.own.get(name[4:], {}) if name.startswith("own:") else {}
            try:
                where, find = [*self.view_where(name), *self.pipeline_where()], own.get("q", "")
                number = self.counted(where, find)
            except (Refused, Denied):
                number = None
            found.append({**tab, "count": None if number is None else self.t.number(number)})
        return found

    def total_words(self, count: int) -> str:
        if self.find and self.door.more_match(self.entity.name, self.find):
            return self.t("{count} or more", count=self.t.number(count))
        return self.t("{count} in all", count=self.t.number(count), n=count)

    def shapes(self) -> list[dict]:
        """The ways these records can be shown."""
        found = [{"name": "list", "label": self.t("List"), "href": self._shape("list")}]
        if self.entity.pipelines or (self.entity.board is not None and self.entity.board.by in self.readable):
            found.append({"name": "board", "label": self.t("Board"), "href": self._shape("board")})
        if self.date_fields():
            found.append({"name": "calendar", "label": self.t("Calendar"), "href": self._shape("calendar")})
        found.append({"name": "chart", "label": self.t("Chart"), "href": self._shape("chart")})
        return found

    def _shape(self, name: str) -> str:
        args = {key: value for key, value in self.args.items() if key in ("entity", "v", "q", "f", "w", "pipeline")}
        return href(view=name, **args)

    def chips(self) -> list[dict]:
        """What the filters say, in words: `Stage: Offer`."""
        found = [
            {"name": str(i), "label": self.fields[key].label_in(self.t), "value": self.filter_words(key, op, value)}
            for i, (key, op, value) in enumerate(self.filters)
        ]
        if self.args.get("w"):
            found.append({"name": "w", "label": self.t("From a chart"), "value": self.args.get("wl") or self.args["w"]})
        return found

    def filter_words(self, key: str, op: str, value: Any) -> str:
        t, field = self.t, self.fields[key]

        def say(one: Any) -> str:
            try:
                return field.display(field.clean([one] if field.many else one, t), self.shown) or str(one)
            except (Refused, ValueError, TypeError):
                return str(one)

        if value is None:
            return self.operator_words(op)
        if op in ("in_last", "in_next", "contains", "starts"):
            return f"{self.operator_words(op)} {value}"
        words = [say(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
        if op in ("is", "any_of"):
            return ", ".join(words)
        if op == "between" and len(words) == 2:
            return f"{words[0]} – {words[1]}"
        return f"{self.operator_words(op)} {', '.join(words)}"

    def operator_words(self, op: str) -> str:
        return self.t(OPERATORS.get(op, op))

    def filter_fields(self) -> list[dict]:
        """Every field one may filter by: its operators, each with the editor of its value (None: it needs none)."""
        found = []
        for key, field in self.fields.items():
            ops = [
                {"name": op, "label": self.operator_words(op), "editor": field.operand_editor(op, self.shown)}
                for op in self._operators(key)
            ]
            if ops:
                found.append({"name": key, "label": field.label_in(self.t), "ops": ops})
        first = [path for path in self.columns if "." not in path]
        found.sort(key=lambda one: (one["name"] not in first, getattr(self.fields[one["name"]], "system", False)))
        return found

    def add_filter(self, field: str, op: str, value: Any) -> str:
        """The `f` of the address with one filter more. Raises `Refused` for a value the field does not take."""
        if field not in self.fields or op not in self._operators(field):
            raise Refused("This cannot be filtered so.")
        if isinstance(value, dict):
            value = value.get("id") or value.get("value")
        if op in ("empty", "filled"):
            value = None
        elif value in (None, "", []):
            raise Refused("Please give a value.")
        elif op == "any_of" and not isinstance(value, list):
            value = [value]
        self.fields[field].condition(op, value, self.t)
        return write_filters([*self.filters, (field, op, value)])

    def date_fields(self) -> list[str]:
        """The fields by which these records stand in a calendar: due, the pipeline's next and close, else the columns that are dates."""
        activities = self.schema.activities
        if activities and activities.entity == self.entity.name:
            return [key for key in (activities.due,) if key in self.fields]
        found = []
        for pipeline in self.entity.pipelines:
            roles = self.schema.pipelines[pipeline].fields
            found += [roles[role] for role in ("next", "close") if roles.get(role) in self.fields and roles[role] not in found]
        if not found:
            own = {
                key: one
                for key, one in self.fields.items()
                if getattr(one, "kind", "") in ("date", "datetime") and not getattr(one, "system", False)
            }
            listed = [key for key in self.entity.list.columns if key in own]
            found = (listed or list(own))[:2]
        return found

    # -- cells
    def cell(self, record: Any, path: str) -> Any:
        """One cell of a row: text or {"text", "tone", …}."""
        head, _, rest = path.partition(".")
        field = self.fields[head]
        value = record.get(head)
        if rest:
            if not isinstance(value, int):
                return None
            try:
                other = self.door.get(field.to, value)
            except (Missing, Denied):
                return None
            return self.schema.entities[field.to].fields[rest].cell(other.get(rest), self.shown)
        if value is None:
            return {"text": self.t("No next step"), "tone": "none"} if head == self._next_key(record) and self._is_open(record) else None
        if head == self.entity.stage_field:
            stage = self.schema.stage_of(self.entity.name, record)
            if stage is not None:
                cell = {"stage": stage.label_in(self.t), "color": stage.color or stage_color(stage)}
                since = local_day(self.t, record.get("stage_on")) if stage.open and stage.days else None
                days = (self.t.today() - since).days if since else 0
                return {**cell, "late": self.t("{n} d", n=days)} if stage.days and days > stage.days else cell
        if self.entity.service is not None and (stands := promise(self.app, self.entity, record, head)) is not None:
            return stands
        if getattr(field, "kind", "") in ("date", "datetime"):
            day = local_day(self.t, value)
            if day is not None:
                text = short_date(self.t, day)
                if head == self._next_key(record) and self._is_open(record):
                    return {"text": text, "tone": due_tone(self.t, day)}
                return text
        return field.cell(value, self.shown)

    def _next_key(self, record: Any) -> str | None:
        activities = self.schema.activities
        if activities and activities.entity == self.entity.name:
            return activities.due
        return self.entity.role("next", record)

    def _is_open(self, record: Any) -> bool:
        activities = self.schema.activities
        if activities and activities.entity == self.entity.name:
            return record.get(activities.done) is None
        return agenda.is_open(self.door, record)

    def rows(self, records: Sequence[Any]) -> list[list]:
        """[[key, address, cells]] of a page of records."""
        columns = self.columns
        self.titles.load_records(records, [path.partition(".")[0] for path in columns])
        found = []
        for record in records:
            cells = [self.cell(record, path) for path in columns]
            if isinstance(cells[0], dict) and "text" not in cells[0] or cells[0] in (None, ""):
                cells[0] = record.title
            found.append([str(record.id), href(view="record", entity=self.entity.name, id=record.id), cells])
        return found

    def column_heads(self) -> list[dict]:
        """The columns with where each stands on a phone's card: title, then amount, link, stage and next step; the rest is left out."""
        places = {
            "p12": lambda f: getattr(f, "kind", "") == "money",
            "p21": lambda f: getattr(f, "to", None) and getattr(f, "name", "") == "link",
            "p22": lambda f: f.key == self.entity.stage_field or getattr(f, "name", "") == "choice",
            "p31": lambda f: getattr(f, "kind", "") in ("date", "datetime"),
        }
        taken: set[str] = set()
        heads = []
        next_key = self.entity.role("next")
        for i, path in enumerate(self.columns):
            field = self.field(path)
            kind = ["num"] if getattr(field, "align", "left") == "right" else []
            if getattr(field, "system", False):
                kind.append("dim")
            if i:
                place = (
                    "p31"
                    if path == next_key
                    else next(
                        (
                            name
                            for name, fits in places.items()
                            if name not in taken and fits(field) and not (name == "p31" and next_key in self.columns)
                        ),
                        "extra",
                    )
                )
                taken.add(place)
                kind.append(place)
            heads.append(
                {
                    "name": path,
                    "label": self.label(path),
                    "kind": " ".join(kind),
                    "sortable": bool(getattr(field, "sortable", True)) and "." not in path,
                    "help": help_of(field, self.t) or None,
                }
            )
        return heads

    def money_columns(self) -> list[str]:
        return [
            path
            for path in self.columns
            if "." not in path and getattr(self.fields[path], "kind", "") == "money" and not getattr(self.fields[path], "live", False)
        ]

    def sums(self) -> dict[str, str] | None:
        """The sums of the money columns over everything that matches, in words."""
        columns = self.money_columns()
        if not columns:
            return None
        rows = self.door.aggregate(
            self.entity.name, by=[], measures={key: ("sum", key) for key in columns}, where=self.where, find=self.find
        )
        row = rows[0] if rows else {}
        return {key: self.fields[key].display(row[key], self.shown) for key in columns if row.get(key) is not None} or None


def stage_color(stage: Any) -> int:
    """A colour for a stage that has none in the YAML: by its place."""
    return {"won": "green", "lost": "red"}.get(stage.outcome or "", 1 + stage.index % 5)  # type: ignore[return-value]


def open_day(t: Any, text: str) -> date:
    """What a user says of a day: an ISO date, `tomorrow`, `monday`, `+1w`, `24.12.`; raises `Refused`."""
    return t.parse_date(text)


def days_from(day: date, count: int) -> list[date]:
    return [day + timedelta(days=one) for one in range(count)]
