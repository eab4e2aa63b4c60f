"""Records of one entity as a table."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from crm.errors import Denied, Missing, RecordError, Refused
from crm.records import assignment
from crm.views import acting, gating, leads, planning
from crm.views.app import href, stack
from crm.views.base import PAGES, Page, told
from crm.views.listing import PAGE, Listing
from crm.views.text import field_json


class Listed(Page):
    """What list, board, calendar and chart share: an address that is a `Listing`, and the bar above them.

    A subclass has `part` (a part with the bar), `shape`, and `content()`; another address of the same entity is shown in place."""

    shape = "list"
    part: Any

    def __init__(self, app: Any, entity: str = "", **args: str) -> None:
        super().__init__(app, entity=entity, **args)
        self.listing = self.read(entity, args)
        self.stamp = 0
        self.fresh = 0

    def read(self, entity: str, args: dict[str, str]) -> Listing:
        return Listing(self.app, entity, args, self.shape)

    @property
    def title(self) -> str:  # type: ignore[override]
        kind = self.listing.kind
        kinds = self.listing.entity.kinds
        return kinds.of[kind].plural_in(self.t) if kind and kinds else self.listing.entity.plural_in(self.t)

    def content(self) -> dict[str, Any]:
        raise NotImplementedError

    def bar(self) -> dict[str, Any]:
        """The bar, and a stamp that makes the browser ask for the totals once."""
        self.stamp += 1
        return {
            **self.listing.bar(),
            "stamp": self.stamp,
            "fresh": self.fresh,
            "total": self.part.content.get("total") if hasattr(self, "part") else None,
        }

    def shared(self) -> dict[str, Any]:
        """Handlers of the bar."""
        return {
            "totals": self.totals,
            "find": self.find,
            "fields": self.filter_fields,
            "add_filter": self.add_filter,
            "unfilter": self.unfilter,
            "save_view": self.save_view,
            "drop_view": self.drop_view,
            "notebook": self.notebook,
            "pipeline": lambda name: self.turn_to(pipeline=name),
            "add": self.add,
        }

    # -- the address
    def turn(self, args: dict[str, str]) -> bool:
        """Another address of the same entity: same part, other content."""
        args = dict(args)
        entity = args.pop("entity", "")
        if entity != self.listing.entity.name:
            return False
        self.fresh += 1
        self.show(args)
        return True

    def turn_to(self, **changes: Any) -> None:
        """The same page with some of its address changed."""
        args = {key: value for key, value in {**self.listing.args, **changes}.items() if value not in (None, "")}
        if "page" not in changes:
            args.pop("page", None)
        self.app.address(view=self.name, **args)
        args.pop("entity", None)
        self.show(args)

    def show(self, args: dict[str, str]) -> None:
        self.listing = self.read(self.listing.entity.name, args)
        self.part.content = self.content()
        self.app.redraw_frame()

    def refresh(self) -> None:
        """Read again what the address asks for."""
        self.show({key: value for key, value in self.listing.args.items() if key != "entity"})

    # -- the bar
    def totals(self, stamp: int) -> None:
        """Counts and sums, after the rows are on the screen; of another address meanwhile they are not asked for."""
        if stamp == self.stamp:
            self.part.patch(**self.figures(), views=self.listing.counts())

    def figures(self) -> dict[str, Any]:
        return {"total": self.listing.total_words(self.listing.count())}

    def find(self, text: str) -> None:
        if text.strip() != self.listing.q:
            self.turn_to(q=text.strip())

    def filter_fields(self) -> dict:
        return {"fields": self.listing.filter_fields()}

    def add_filter(self, field: str, op: str, value: Any) -> dict:
        try:
            filters = self.listing.add_filter(field, op, value)
        except Refused as exc:
            return {"error": exc.say(self.t)}
        self.turn_to(f=filters)
        return {}

    def unfilter(self, name: str) -> None:
        from crm.views.listing import write_filters

        if name == "w":
            return self.turn_to(w="", wl="")
        left = [one for i, one in enumerate(self.listing.filters) if str(i) != name]
        return self.turn_to(f=write_filters(left))

    def save_view(self, label: str) -> None:
        name = self.listing.save_view(label)
        self.fresh += 1
        self.turn_to(v=name, f="", q="", w="", wl="")
        self.app.say(self.t("This view is kept for you."))

    def drop_view(self) -> None:
        step = self.listing.drop_view()
        self.turn_to(v="")
        self.app.say(self.t("The view is removed."), undo=step)

    def notebook(self) -> dict:
        """The list of this address as a notebook: {"name", "text"}."""
        from crm.analytics.notebook import ADDRESS, file_name, notebook_of

        entity = self.listing.entity.name
        asked = {key: value for key, value in self.listing.args.items() if key in ADDRESS}
        return {"name": file_name("list", entity), "text": notebook_of(self.door, "list", entity, **asked).decode()}

    def add(self, **values: Any) -> None:
        self.app.quick_add(self.listing.entity.name, values or None)


@PAGES.add
class ListPage(Listed):
    """`?view=list&entity=account&v=mine&q=…&f=…&sort=-amount&page=2`."""

    name = "list"
    shape = "list"

    def __init__(self, app: Any, entity: str = "", **args: str) -> None:
        super().__init__(app, entity, **args)
        self.part = app.part(
            "table",
            self.content(),
            on={
                **self.shared(),
                "sort": self.sort,
                "columns": lambda: {"columns": self.listing.column_choice()},
                "set_columns": self.set_columns,
                "act": self.act,
                "bulk": self.bulk,
                "bulk_edit": self.bulk_edit,
                "edit_fields": self.edit_fields,
            },
        )
        pool = leads.pool_content(app, self.listing.entity.name)
        self.pool = (
            app.part("pool", pool, on={"next": lambda: leads.take_next(app, self.listing.entity.name)}) if pool is not None else None
        )
        self.body = stack(self.pool, self.part, gap=10) if self.pool is not None else self.part

    def show(self, args: dict[str, str]) -> None:
        super().show(args)
        if self.pool is not None:
            self.pool.content = leads.pool_content(self.app, self.listing.entity.name) or self.pool.content

    def content(self) -> dict[str, Any]:
        listing, t = self.listing, self.t
        offset = (listing.page - 1) * PAGE
        records = listing.records(PAGE + 1, offset)
        more, records = len(records) > PAGE, records[:PAGE]
        sort = listing.sort[0] if listing.sort else ""
        entity = listing.entity
        filtered = bool(listing.filters or listing.q or listing.args.get("w") or listing.view != "all")
        text = (
            t("Nothing matches. Clear a filter or search for something else.")
            if filtered
            else (entity.help_in(t) or t("{plural} will stand here.", plural=entity.plural_in(t)))
        )
        return {
            **self.bar(),
            "columns": listing.column_heads(),
            "rows": listing.rows(records),
            "sort": {"name": sort.lstrip("-"), "down": sort.startswith("-")} if sort else None,
            "sums": None,
            "matching": len(records) if not more and offset == 0 else None,
            "acts": self.row_acts(records),
            "bulk": self.bulk_acts(),
            "pages": {
                "text": f"{t.number(offset + 1)}–{t.number(offset + len(records))}",
                "before": listing.link(page=listing.page - 1) if listing.page > 1 else None,
                "after": listing.link(page=listing.page + 1) if more else None,
            },
            "none": {
                "glyph": entity.icon,
                "text": text,
                "clear": listing.link(f="", q="", w="", v="") if filtered else None,
                "add": t("New: {what}", what=entity.label_in(t)) if self.door.may("create", entity.name) else None,
            },
        }

    def figures(self) -> dict[str, Any]:
        listing, t = self.listing, self.t
        count = listing.count()
        pages = dict(self.part.content["pages"])
        first = (listing.page - 1) * PAGE + 1
        if count:
            pages["text"] = t(
                "{first}–{last} of {count}", first=t.number(first), last=t.number(min(first + PAGE - 1, count)), count=t.number(count)
            )
        return {"total": listing.total_words(count), "matching": count, "sums": listing.sums() if count > 1 else None, "pages": pages}

    def sort(self, name: str, down: bool) -> None:
        self.turn_to(sort=f"-{name}" if down else name)

    def set_columns(self, names: list[str]) -> None:
        self.listing.set_columns(names)
        self.refresh()

    # -- acts on one
    def row_acts(self, records: list[Any]) -> list[dict]:
        t, entity, door = self.t, self.listing.entity, self.door
        activities, found = self.app.schema.activities, []
        if activities and entity.name == activities.entity:
            if door.may("change", entity.name):
                found.append({"name": "done", "label": t("Done"), "glyph": "check", "key": "d"})
        if planning.may_log(self.app, entity.name):
            found.append({"name": "log", "label": t("Log what happened"), "glyph": "edit_note", "key": "l"})
        if door.may("change", entity.name):
            found.append({"name": "edit", "label": t("Edit"), "glyph": "edit", "key": "e"})
        return [*acting.rows(self.app, entity.name, records), *found]

    def act(self, name: str, key: str) -> None:
        entity, number = self.listing.entity, int(key)
        if name == "edit":
            return self.app.go(view="form", entity=entity.name, id=number)
        if name == "done":
            from crm.views.steps import done

            done(self.app, entity.name, number)
            return self.refresh()
        if name == "log":
            return self.app.boxes.log(entity.name, number)
        if name.startswith(acting.PREFIX):
            return acting.act(self.app, entity.name, name, [number], self.done)
        return None

    # -- acts on many
    def bulk_acts(self) -> list[dict]:
        t, entity, door = self.t, self.listing.entity, self.door
        found = []
        if door.may("change", entity.name):
            writable = door.writable(entity.name)
            if entity.owner in writable:
                found.append({"name": "assign", "label": t("Assign"), "glyph": "person"})
            if entity.stage_field and entity.pipelines:
                found.append({"name": "move", "label": t("Move"), "glyph": "swap_horiz"})
            if self.edit_fields()["fields"]:
                found.append({"name": "edit", "label": t("Edit"), "glyph": "edit"})
        found += acting.offered(self.app, entity.name, "list")
        if door.may("export", entity.name):
            found.append({"name": "export", "label": t("Export"), "glyph": "download"})
        if door.may("delete", entity.name):
            found.append({"name": "delete", "label": t("Delete"), "glyph": "delete"})
        return found

    def edit_fields(self) -> dict:
        """The fields a bulk change may set."""
        entity, writable = self.listing.entity, self.door.writable(self.listing.entity.name)
        found = []
        for key, field in entity.own_fields.items():
            if (
                key in writable
                and key != entity.stage_field
                and field.name not in ("files", "file", "lines", "links", "autonumber")
                and not field.unique
            ):
                editor = field.editor(None, self.listing.shown)
                if editor.get("type") != "fixed":
                    found.append({"name": key, "label": field.label_in(self.t), "editor": editor})
        return {"fields": found}

    def chosen(self, keys: list[str], every: bool) -> list[int]:
        return self.listing.ids() if every else [int(key) for key in keys]

    def bulk(self, name: str, keys: list[str], every: bool = False) -> dict:
        t, app, entity = self.t, self.app, self.listing.entity
        ids = self.chosen(keys, every)
        if name.startswith(acting.PREFIX):
            acting.act(app, entity.name, name, ids, self.done)
            return {}
        if name == "export":
            return self.export(ids)
        if name == "delete":
            if len(ids) > 20:
                app.confirm(
                    t("Delete {n} of them?", n=len(ids)),
                    t("They can be restored as long as the history is kept."),
                    yes=t("Delete"),
                    tone="bad",
                    on_yes=lambda: self.delete(ids),
                )
                return {}
            self.delete(ids)
            return {}
        if name == "assign" and assignment.of(app.company, entity.name) is not None:
            acting.act(app, entity.name, f"{acting.PREFIX}assign", ids, self.done)
            return {}
        key = entity.owner if name == "assign" else entity.stage_field if name == "move" else None
        if key is None:
            return {}
        if name == "move":
            pipeline = app.schema.pipelines[self.listing.args.get("pipeline") or entity.pipelines[0]]
            field = {
                "field": key,
                "label": entity.fields[key].label_in(t),
                "required": True,
                "editor": {"type": "select", "options": [[stage.key, stage.label_in(t)] for stage in pipeline.stages.values()]},
            }
        else:
            field = field_json(entity.fields[key], None, self.listing.shown, required=True)

        def save(values: dict) -> dict | None:
            if values.get(key) in (None, ""):
                return {"problems": {key: t("Please choose one.")}}
            if name == "move":
                return self.move(ids, str(values[key]))
            self.change(ids, {key: values[key]})
            return None

        app.sheet(
            t("Assign {n} to", n=len(ids)) if name == "assign" else t("Move {n} to", n=len(ids)),
            [field],
            submit=t("Assign") if name == "assign" else t("Move"),
            on_submit=save,
        )
        return {}

    def bulk_edit(self, field: str, value: Any, keys: list[str], every: bool = False) -> dict:
        if field not in {one["name"] for one in self.edit_fields()["fields"]}:
            raise Missing("This is not there, or not for you.")
        try:
            self.change(self.chosen(keys, every), {field: value})
        except RecordError as exc:
            answer = told(exc, self.t)
            return {"error": (answer.get("problems") or {}).get(field) or answer["error"]}
        except Refused as exc:
            return {"error": exc.say(self.t)}
        return {}

    def change(self, ids: list[int], values: dict) -> None:
        """Those that may be changed; how many were left out is said."""
        may = self.allowed("change", ids, set(values))
        step = self.door.bulk(self.listing.entity.name, may, values)
        self.done(self.left_out(self.t("{n} changed", n=len(may)), ids, may), step)

    def allowed(self, act: str, ids: list[int], keys: Set[str] = frozenset()) -> list[int]:
        """Which of them this user may change (these fields of) or delete; a refusal when it is none."""
        from crm.stores import where_id

        name, door = self.listing.entity.name, self.door
        may = set()
        for start in range(0, len(ids), 500):
            for record in door.list(name, where=where_id("in", ids[start : start + 500]), limit=500):
                if door.may(act, name, record) and keys <= set(door.writable(name, record) if keys else ()):
                    may.add(record.id)
        if not may:
            raise Refused("None of them is yours to change.")
        return [one for one in ids if one in may]

    def left_out(self, words: str, ids: list[int], may: list[int]) -> str:
        left = len(ids) - len(may)
        return f"{words}. {self.t('{n} left out: you may not change them.', n=left)}" if left else words

    def move(self, ids: list[int], stage: str, values: dict | None = None) -> dict | None:
        """Those whose gate is open move; what keeps the others is asked in a sheet, once for all of them."""
        app, entity, t = self.app, self.listing.entity, self.t
        stay: list[tuple[Any, gating.Move | str]] = []
        moved = 0
        with self.door.step("move") as step:
            for number in ids:
                record = self.door.get(entity.name, number)
                target = app.schema.pipeline_of(entity.name, record).stages.get(stage)
                if target is None:
                    stay.append((record, t("Its pipeline has no such stage.")))
                    continue
                try:
                    lacking = set(self.door.wants(entity.name, number, stage)) if values else set()
                    made = gating.Move(app, entity, number, target, {key: value for key, value in (values or {}).items() if key in lacking})
                except RecordError as exc:
                    stay.append((record, told(exc, t)["error"]))
                except (Refused, Denied) as exc:
                    stay.append((record, exc.say(t)))
                else:
                    moved += made.made is not None
                    if made.made is None:
                        stay.append((record, made))
        if moved:
            words = t("{n} moved", n=moved)
            self.done(f"{words}. {t('{n} stay: something their stage asks for is missing.', n=len(stay))}" if stay else words, step.id)
        if stay:
            gating.left_behind(app, entity, stay, lambda some, given: self.move(some, stage, given))
        return None

    def delete(self, ids: list[int]) -> None:
        may = self.allowed("delete", ids)
        with self.door.step("delete") as step:
            for number in may:
                self.door.delete(self.listing.entity.name, number)
        self.done(self.left_out(self.t("{n} deleted", n=len(may)), ids, may), step.id)

    def done(self, words: str, step: Any) -> None:
        self.part.send("clear")
        self.refresh()
        self.app.say(words, undo=getattr(step, "id", step))

    def export(self, ids: list[int]) -> dict:
        """A CSV of the chosen ones with all fields the user may read: keys as heads, values free of language."""
        return {
            "file": f"{self.listing.entity.name}.csv",
            "mime": "text/csv;charset=utf-8",
            "text": csv_of(self.door, self.listing.entity, ids),
        }


def csv_of(door: Any, entity: Any, ids: list[int]) -> str:
    """The records as CSV text with a byte order mark; a text that a spreadsheet would take for a formula is defused with an apostrophe."""
    import csv
    import io

    if not door.may("export", entity.name):
        raise Denied("You may not export these.")
    readable = door.readable(entity.name)
    keys = ["id", *(key for key, field in entity.own_fields.items() if key in readable and field.name not in ("files", "file"))]
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(keys)
    for start in range(0, len(ids), 500):
        from crm.stores import where_id

        for record in door.list(entity.name, where=where_id("in", ids[start : start + 500]), limit=500):
            if not door.may("export", entity.name, record):
                continue
            cells = [str(record.id)]
            for key in keys[1:]:
                value = record.get(key)
                text = "" if value is None else entity.fields[key].to_text(value)
                cells.append("'" + text if text[:1] in "=+@\t\r" or (text[:1] == "-" and not text[1:2].isdigit()) else text)
            write.writerow(cells)
    return "\ufeff" + out.getvalue()


__all__ = ["ListPage", "Listed", "csv_of", "href"]
