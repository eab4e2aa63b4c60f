"""Brings a file's rows into an entity: a saved map or a guessed one says which column is what.

`run(door, entity, path)` reads the file, cleans and links every row, and writes it through the door as **one step**, so rights and
rules hold and `door.undo(outcome.step)` takes the whole import back. A row that is refused is reported with its line and why; the
others go in. `dry_run=True` does the same and takes it back at once: the report is the real one.

The same file again adds nothing: rows are matched by the map's `match` fields (an id of the source kept in a field), and only
values that differ are written. An empty cell never empties a field.
"""

from __future__ import annotations

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tinydb import where

from crm.errors import Denied, RecordError, Refused
from crm.intake.guessing import guess_map
from crm.intake.tables import Table, read_table
from crm.schema.model import ImportMap, Target
from crm.stores import where_id

#: How many values are looked up in the store at once.
CHUNK = 400

Progress = Callable[[int, int], None]


@dataclass
class RowReport:
    """What became of one row: `row` its line in the file (the header is line 1), `label` how it is called."""

    row: int
    label: str
    act: str  # created, updated, unchanged, rejected, skipped
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    id: int | None = None
    values: list[str] = field(default_factory=list, repr=False)


@dataclass
class Outcome:
    """What an import did (or would do): figures, the step that `undo` takes back, and a report by row.

    `notes` gathers what many rows share: {text: line numbers}.
    """

    entity: str
    map: str
    file: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    step: int | None = None
    dry_run: bool = False
    seconds: float = 0.0
    encoding: str = ""
    delimiter: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[RowReport] = field(default_factory=list)
    notes: dict[str, list[int]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)

    def as_dict(self, full: bool = False) -> dict[str, Any]:
        """The shape of `crm import --json`; with `full` also the reports of rows that need a look."""
        found: dict[str, Any] = {key: getattr(self, key) for key in ("created", "updated", "unchanged", "rejected", "step")}
        if full:
            found |= {"entity": self.entity, "map": self.map, "dry_run": self.dry_run, "skipped": self.skipped}
            found |= {"encoding": self.encoding, "delimiter": self.delimiter, "unused": self.unused}
            found["notes"] = [{"note": text, "rows": rows} for text, rows in self.notes.items()]
            found["rows"] = [
                {"row": one.row, "label": one.label, "act": one.act, "problems": one.problems, "warnings": one.warnings}
                for one in self.rows
                if one.problems or one.warnings
            ]
        return found

    @property
    def rejections(self) -> list[RowReport]:
        return [one for one in self.rows if one.act == "rejected"]

    def write_rejected(self, path: str | Path) -> int:
        """The rejected rows as a CSV to mend and import again, with a last column saying why; how many there are."""
        with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*self.columns, "!"])
            for one in self.rejections:
                writer.writerow([*one.values, " ".join(one.problems)])
        return len(self.rejections)


class _TakenBack(Exception):
    """Ends a dry run: the transaction is rolled back."""


def entity_of_map(schema: Any, named: str, map: str | None = None) -> str | None:
    """The entity of the saved map called `named`, where no entity is: `CampaignMember` of another CRM may be our `response`."""
    if named in schema.entities:
        return None
    found = {one.entity for key, one in schema.imports.items() if key.rpartition("/")[2].casefold() == named.strip().casefold()}
    return found.pop() if len(found) == 1 else None


def find_map(schema: Any, entity: str | None, path: str | Path, name: str | None = None) -> ImportMap | None:
    """The saved map that is meant: by name (`salesforce/Account`, `Account`, a path to its YAML, or `salesforce`, the folder that has
    one for this file), else the one called after the file.

    None when no name is given and no map fits. Raises `Refused` for a name that is not there or is for another entity.
    """
    maps: Mapping[str, ImportMap] = schema.imports
    if name:
        wanted = str(name).replace("\\", "/").removesuffix(".yaml").removesuffix(".yml")
        fitting = [key for key in maps if key == wanted or wanted.endswith("/" + key)]
        fitting = fitting or [key for key in maps if key.rpartition("/")[2] == wanted.rpartition("/")[2]]
        if not fitting:
            inside = [key for key in maps if f"{wanted.rstrip('/')}/".endswith(f"/{key.rpartition('/')[0]}/") or key.startswith(f"{wanted}/")]
            inside = [key for key in inside if "/" in key and entity in (None, maps[key].entity)]
            fitting = [key for key in inside if called_after(maps[key], path)] or (inside if len(inside) == 1 else [])
        if not fitting:
            raise Refused("There is no import map {name}; there are: {known}.", name=name, known=", ".join(sorted(maps)) or "–")
        found = maps[fitting[0]]
        if entity and found.entity != entity:
            raise Refused("The import map {name} is for {entity}.", name=found.name, entity=found.entity)
        return found
    fitting = [key for key, one in maps.items() if called_after(one, path) and entity in (None, one.entity)]
    return maps[fitting[0]] if len(fitting) == 1 else None


def called_after(one: ImportMap, path: str | Path) -> bool:
    """Whether a saved map is called after a file, in any case."""
    return Path(path).stem.casefold() in (one.name.rpartition("/")[2].casefold(), Path(one.file or "").stem.casefold())


def run(
    door: Any,
    entity: str | None,
    path: str | Path,
    map: str | ImportMap | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Import a file. `map` is a saved map's name, a map, or None: the saved one called after the file, else a guess."""
    started = time.perf_counter()
    chosen = map if isinstance(map, ImportMap) else find_map(door.schema, entity, path, map)
    table = read_table(path, chosen.encoding if chosen else None, chosen.delimiter if chosen else None)
    if chosen is not None and map is None and not any(column in table.columns for column in chosen.columns):
        chosen = None
    if chosen is None:
        if not entity or entity not in door.schema.entities:
            raise Refused("Say what the rows of the file are.")
        chosen = guess_map(door, entity, table.columns, Path(path).stem)
    return Importer(door, chosen, table, str(path)).run(dry_run, progress, started)


class Importer:
    """One import of one table by one map through one user's door."""

    def __init__(self, door: Any, map: ImportMap, table: Table, file: str = "") -> None:
        self.door, self.map, self.table = door, map, table
        self.schema = door.schema
        if map.entity not in self.schema.entities or not door.may("create", map.entity) and not door.may("change", map.entity):
            raise Denied("You may not import here.")
        self.entity = self.schema.entities[map.entity]
        self.t = door.words
        self.outcome = Outcome(map.entity, map.name, file, encoding=table.encoding, delimiter=table.delimiter, columns=table.columns)
        self.found: dict[tuple[str, str], dict[str, int | None]] = {}  # (entity, field) → {text: id; None = more than one}
        self.known: dict[tuple[Any, ...], Any] = {}  # match key → record
        self.later: list[tuple[int, str, Target, str]] = []  # (row report number, field, target, text): links to rows still to come
        self.filled: set[str] = set(table.columns)
        self.orders: dict[str, str] = {}
        self.commas: dict[str, bool] = {}
        self.shown = self.name_keys()

    # -- the whole

    def run(self, dry_run: bool, progress: Progress | None, started: float) -> Outcome:
        out = self.outcome
        out.dry_run = dry_run
        missing = [column for column in self.map.columns if column not in self.table.columns]
        if missing and len(missing) == len(self.map.columns):
            raise Refused("None of the columns of the map {name} is in the file.", name=self.map.name)
        used = {*self.map.columns, *self.map.skip}
        filled = {column for at, column in enumerate(self.table.columns) if any(row[at].strip() for row in self.table.rows)}
        self.filled = filled
        out.unused = [one for one in self.table.columns if one in filled and one not in used and one not in self.map.ignore]
        if missing:
            out.notes[self.t("Columns of the map that the file lacks: {names}", names=", ".join(missing))] = []
        try:
            with self.step() as step:
                self.prepare()
                self.rows(progress)
                self.finish_links()
                if dry_run:
                    raise _TakenBack
            if out.created or out.updated:
                out.step = step_id(step)
        except _TakenBack:
            pass
        out.seconds = round(time.perf_counter() - started, 3)
        return out

    def step(self) -> Any:
        note = self.t("Import of {file}", file=Path(self.outcome.file).name)
        return self.door.step(note, later=True, lenient=self.map.gates == "skip" and self.door.actor.admin, fires="import")

    # -- before: what is linked and what is already there

    def prepare(self) -> None:
        """Look up, in few questions, every record the file links to and every one it may be about."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for column, targets in self.map.columns.items():
            if column not in self.table.columns:
                continue
            at = self.table.columns.index(column)
            texts = {row[at].strip() for row in self.table.rows} - {""}
            for target in targets:
                self.collect(target, texts, wanted)
            self.learn(column, targets, texts)
        for (entity, key), texts in wanted.items():
            self.look_up(entity, key, texts)
        if self.map.match:
            self.look_up_known()

    def collect(self, target: Target, texts: set[str], wanted: dict[tuple[str, str], set[str]]) -> None:
        to = getattr(self.entity.fields.get(target.field), "to", None)
        if target.find and to:
            wanted.setdefault((to, target.find), set()).update(text for text in texts if text not in target.values)
        if isinstance(target.otherwise, Target):
            self.collect(target.otherwise, texts, wanted)

    def learn(self, column: str, targets: Iterable[Target], texts: set[str]) -> None:
        """Find out how dates and numbers of a column are written: day or month first, comma or point."""
        kinds = {getattr(self.entity.fields.get(one.field), "kind", "") for one in targets}
        if kinds & {"date", "datetime"}:
            self.orders[column] = self.map.dates if self.map.dates in ("dmy", "mdy", "ymd") else date_order(texts)
        if kinds & {"number", "money", "percent"}:
            told = self.map.decimal
            self.commas[column] = told in (",", "comma") or told == "auto" and decimal_comma(texts)

    def look_up(self, entity: str, key: str, texts: set[str]) -> None:
        """Fill `found` for the values `texts` of field `key` of `entity`."""
        found: dict[str, int | None] = self.found.setdefault((entity, key), {})
        one = self.schema.entities[entity].fields[key]
        stored: dict[Any, list[str]] = {}
        for text in texts:
            try:
                value = one.to_json(one.clean(text, self.t))
            except (ValueError, TypeError):
                continue
            stored.setdefault(json.dumps(value) if isinstance(value, (dict, list)) else value, []).append(text)
        if key == "id":
            ids = {int(value) for value in stored if isinstance(value, (int, float))}
            for number in self.door.titles(entity, ids):
                for text in stored.get(number, ()):
                    found[text] = number
            return
        values = list(stored)
        for start in range(0, len(values), CHUNK):
            chunk = values[start : start + CHUNK]
            for record in self.door.list(entity, where=where(key).one_of(chunk), limit=10 * CHUNK):
                value = record.stored.get(key)
                for text in stored.get(json.dumps(value) if isinstance(value, (dict, list)) else value, ()):
                    found[text] = None if found.get(text, record.id) != record.id else record.id

    def look_up_known(self) -> None:
        """The records that rows of the file may already be."""
        first = self.map.match[0]
        if first == "id":
            column = next(column for column, targets in self.map.columns.items() if any(one.field == "id" for one in targets))
            at = self.table.columns.index(column)
            ids = [int(row[at]) for row in self.table.rows if row[at].strip().isdigit()]
            for start in range(0, len(ids), CHUNK):
                for record in self.door.list(self.map.entity, where=where_id("in", ids[start : start + CHUNK]), limit=CHUNK):
                    self.known[(record.id,)] = record
            return
        sources = [(column, target) for column, targets in self.map.columns.items() for target in targets if target.field == first]
        sources = [(column, target) for column, target in sources if column in self.table.columns]
        if not sources and first in self.map.constants:
            values: set[Any] = {self.stored(first, self.map.constants[first])}
        else:
            values = set()
            for column, target in sources:
                at = self.table.columns.index(column)
                for row in self.table.rows:
                    typed: dict[str, Any] = {}
                    self.place(column, target, row[at].strip(), typed, RowReport(0, "", ""), quiet=True)
                    if first in typed:
                        values.add(self.stored(first, typed[first]))
        wanted = [value for value in values if value is not None and not isinstance(value, (dict, list))]
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            for record in self.door.list(self.map.entity, where=where(first).one_of(chunk), limit=50 * CHUNK):
                self.known[tuple(freeze(record.stored.get(key)) for key in self.map.match)] = record

    def match_value(self, key: str, typed: Mapping[str, Any]) -> Any:
        if key == "id":
            text = str(typed.get("id") or "")
            return int(text) if text.isdigit() else None
        return freeze(self.stored(key, typed[key])) if key in typed else None

    def stored(self, key: str, typed: Any) -> Any:
        """The stored form of a typed value, None when it is none."""
        one = self.entity.fields[key]
        try:
            value = one.clean(typed, self.t)
            return None if value is None else one.to_json(value)
        except (ValueError, TypeError):
            return None

    # -- row by row

    def rows(self, progress: Progress | None) -> None:
        total = len(self.table)
        skip = [
            (self.table.columns.index(column), {text.casefold() for text in texts})
            for column, texts in self.map.skip.items()
            if column in self.table.columns
        ]
        places = [
            (self.table.columns.index(column), column, targets)
            for column, targets in self.map.columns.items()
            if column in self.table.columns
        ]
        if not self.door.actor.admin:  # when a record was made is history: only admins bring it along
            places = [
                place
                for place in places
                if not all(getattr(self.entity.fields[one.field], "system", False) and one.field != "id" for one in place[2])
            ]
        whole = {column for _, column, targets in places if self.entity.fields[targets[0].field].name in ("markdown", "long_text")}
        for number, row in enumerate(self.table.rows):
            report = RowReport(number + 2, "", "", values=row)
            self.outcome.rows.append(report)
            if any(left_out(row[at].strip(), texts) for at, texts in skip):
                report.act = "skipped"
                self.outcome.skipped += 1
            else:
                typed: dict[str, Any] = {}
                for at, column, targets in places:
                    text = row[at] if column in whole and row[at].strip() else row[at].strip()
                    self.place_one(column, targets, text, typed, report)
                self.take(typed, report)
            if progress and (number % 50 == 49 or number + 1 == total):
                progress(number + 1, total)

    def place_one(self, column: str, targets: list[Target], text: str, typed: dict[str, Any], report: RowReport) -> None:
        """Put a cell into the first of its targets that takes it; the last one says what is wrong."""
        for target in targets[:-1]:
            tried = RowReport(report.row, "", "")
            waiting = len(self.later)
            self.place(column, target, text, typed, tried, quiet=target.find is None or not text)
            if not text or not tried.problems and (len(self.later) > waiting or self.takes(target, text)):
                return
        self.place(column, targets[-1], text, typed, report)

    def takes(self, target: Target, text: str) -> bool:
        """Whether a target knows a value (a link finds it, a list of values holds it)."""
        if target.find:
            to = getattr(self.entity.fields[target.field], "to", "")
            return bool(self.found.get((to, target.find), {}).get(target.values.get(text, text)))
        return not target.values or text in target.values

    def place(self, column: str, target: Target, text: str, typed: dict[str, Any], report: RowReport, quiet: bool = False) -> None:
        """Put the text of one cell where the map says; what is wrong with it goes to the row's report."""
        one = self.entity.fields[target.field]
        if not text:
            if target.find and not quiet and column in self.filled:
                self.note(self.t("{column} is empty", column=column), report.row)
            return
        text = unguard(text)
        value: Any = text
        if target.values:
            value = target.values.get(text, {low.casefold(): to for low, to in target.values.items()}.get(text.casefold()))
            if value == "":
                return
            if value is None:
                self.otherwise(column, target, text, typed, report, quiet)
                return
        if target.find and not target.part and getattr(one, "to", None):
            key = (one.to, target.find)
            found = self.found.get(key, {}).get(str(value), 0)
            if found is None:
                report.problems.append(
                    self.t("{column}: more than one {entity} has {value}", column=column, entity=self.label_of(one.to), value=text)
                )
                return
            if not found:
                if one.to == self.map.entity and not quiet and self.comes_later(target.find, str(value)):
                    self.later.append((len(self.outcome.rows) - 1, target.field, target, str(value)))
                    return
                self.otherwise(column, target, text, typed, report, quiet)
                return
            value = found
        elif isinstance(value, str):
            value = self.normal(column, target, one, value)
        if target.part:
            whole = typed.setdefault(target.field, {})
            if isinstance(whole, dict):
                whole.setdefault(target.part, value)
        elif isinstance(typed.get(target.field), dict) and isinstance(value, dict):
            typed[target.field] = {**value, **typed[target.field]}
        elif getattr(one, "kind", "") == "list" and target.field in typed:
            typed[target.field] = [*aslist(typed[target.field]), *aslist(value)]
        elif target.field not in typed:
            if target.otherwise == "empty" and not quiet and target.field != "id":
                try:
                    one.clean(value, self.t)
                except Refused as error:
                    report.warnings.append(f"{column}: {say(error, self.t)} ({text[:80]})")
                    return
            typed[target.field] = value

    def otherwise(self, column: str, target: Target, text: str, typed: dict[str, Any], report: RowReport, quiet: bool) -> None:
        """A value the map does not know, or that nothing is found for."""
        rule = target.otherwise
        if isinstance(rule, Target):
            if not quiet and target.find:
                self.note(
                    self.t("{column}: no such {entity}; kept as {field}", column=column, entity=self.to_label(target), field=rule.field),
                    report.row,
                )
            self.place(column, rule, text, typed, report, quiet)
        elif rule == "keep":
            typed.setdefault(target.field, text)
        elif not quiet:
            words = self.t("{column}: nothing is known as {value}", column=column, value=text[:80])
            (report.warnings if rule == "empty" else report.problems).append(words)

    def to_label(self, target: Target) -> str:
        return self.label_of(getattr(self.entity.fields[target.field], "to", "") or "")

    def label_of(self, entity: str) -> str:
        one = self.schema.entities.get(entity)
        return one.label_in(self.t) if one is not None else entity

    def comes_later(self, key: str, value: str) -> bool:
        """Whether a row of this very file is called `value` in its field `key`."""
        if not hasattr(self, "_coming"):
            self._coming: dict[str, set[str]] = {}
        if key not in self._coming:
            columns = [column for column, targets in self.map.columns.items() if any(one.field == key and not one.part for one in targets)]
            places = [self.table.columns.index(column) for column in columns if column in self.table.columns]
            self._coming[key] = {row[at].strip() for row in self.table.rows for at in places}
        return value in self._coming[key]

    def normal(self, column: str, target: Target, one: Any, text: str) -> Any:
        """A cell's text in the form the field takes anywhere: JSON opened, dates in ISO, a decimal point."""
        kind = getattr(one, "kind", "")
        if text[:1] in "{[" and kind in ("address", "list", "lines", "links"):
            try:
                return renamed(json.loads(text))
            except ValueError:
                return text
        if getattr(one, "name", "") == "phone" and target.format:
            return international(text, target.format)
        if kind in ("date", "datetime"):
            return plain_date(text, kind, self.orders.get(column, "dmy"), target.format, self.t)
        if kind in ("number", "money", "percent") and column in self.commas:
            return plain_number(text, self.commas[column])
        return text

    def take(self, typed: dict[str, Any], report: RowReport) -> None:
        """Create, change or leave the record of one row."""
        out = self.outcome
        typed.update(self.map.constants)
        report.label = self.call(typed)
        if report.problems:
            self.reject(report)
            return
        existing = None
        if self.map.match:
            match = tuple(self.match_value(one, typed) for one in self.map.match)
            existing = self.known.get(match) if any(part is not None for part in match) else None
        try:
            number = typed.pop("id", None)
            if existing is None:
                if number and self.map.match == ["id"] and not self.door.may("create", self.map.entity):
                    raise Denied("You may not add any.")
                for name, value in self.map.defaults.items():
                    typed.setdefault(name, value)
                record = self.door.create(self.map.entity, typed)
                report.act = "created"
                out.created += 1
                self.remember(record)
            else:
                changed = self.differences(existing, typed)
                record = existing
                if changed:
                    record = self.door.change(self.map.entity, existing.id, changed)
                    report.act = "updated"
                    out.updated += 1
                    self.remember(record)
                else:
                    report.act = "unchanged"
                    out.unchanged += 1
            report.id = record.id
        except RecordError as error:
            report.problems += [f"{self.field_label(key)}: {say(problem, self.t)}" for key, problem in error.problems.items()]
            self.reject(report)
        except (Refused, Denied) as error:
            report.problems.append(say(error, self.t))
            self.reject(report)

    def reject(self, report: RowReport) -> None:
        report.act = "rejected"
        self.outcome.rejected += 1

    def differences(self, record: Any, typed: Mapping[str, Any]) -> dict[str, Any]:
        """The typed values that differ from the record's. A map's parts of an address are laid over what is there."""
        changed: dict[str, Any] = {}
        stored = record.stored
        for key, value in typed.items():
            one = self.entity.fields.get(key)
            if one is None or key not in record:
                continue
            old = stored.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                value = {**old, **value}
            try:
                cleaned = one.clean(value, self.t)
                new = None if cleaned is None else one.to_json(cleaned)
            except (ValueError, TypeError):
                changed[key] = value  # the door says what is wrong with it
                continue
            if new is not None and new != old:
                changed[key] = value
        return changed

    def remember(self, record: Any) -> None:
        """Later rows of the file may link to this record or be about it again."""
        stored = record.stored
        if self.map.match:
            self.known[tuple(record.id if key == "id" else freeze(stored.get(key)) for key in self.map.match)] = record
        for (entity, key), found in self.found.items():
            if entity == self.map.entity and isinstance(stored.get(key), str):
                found.setdefault(stored[key], record.id)

    def finish_links(self) -> None:
        """Links to rows that came later in the file."""
        for number, key, target, text in self.later:
            report = self.outcome.rows[number]
            to = self.entity.fields[key].to
            found = self.found.get((to, target.find or ""), {}).get(text)
            if report.id is None:
                continue
            if not found:
                report.warnings.append(self.t("{column}: nothing is known as {value}", column=self.field_label(key), value=text[:80]))
                continue
            record = self.door.get(self.map.entity, report.id)
            if record.stored.get(key) != found:
                self.door.change(self.map.entity, report.id, {key: found})
                if report.act == "unchanged":
                    report.act = "updated"
                    self.outcome.unchanged -= 1
                    self.outcome.updated += 1

    # -- words

    def note(self, text: str, row: int) -> None:
        rows = self.outcome.notes.setdefault(text, [])
        if not rows or rows[-1] != row:
            rows.append(row)

    def field_label(self, key: str | None) -> str:
        one = self.entity.fields.get(key or "")
        return one.label_in(self.t) if one is not None else self.entity.label_in(self.t)

    def name_keys(self) -> list[str]:
        keys = [key for key in re.findall(r"\{(\w+)", self.entity.title) if key in self.entity.fields]
        return keys or [next(iter(self.entity.own_fields), "id")]

    def call(self, typed: Mapping[str, Any]) -> str:
        """How a row is called in the report."""
        parts = []
        for key in self.shown:
            value = typed.get(key)
            parts.append(" ".join(str(one) for one in value.values() if one) if isinstance(value, dict) else str(value or ""))
        return " ".join(part for part in parts if part)[:80]


def left_out(text: str, texts: set[str]) -> bool:
    """Whether a cell says that its row stays out."""
    return text.casefold() in texts or "empty" in texts and not text or "filled" in texts and bool(text)


def step_id(step: Any) -> int | None:
    found = getattr(step, "id", step)
    return found if isinstance(found, int) else None


def say(problem: Any, t: Any) -> str:
    speak = getattr(problem, "say", None)
    return str(speak(t)) if callable(speak) else str(problem)


def freeze(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


def aslist(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def unguard(text: str) -> str:
    """Take off the apostrophe that an export puts before what a spreadsheet would run."""
    return text[1:] if _GUARDED.match(text) else text


def renamed(value: Any) -> Any:
    """Keys of JSON from elsewhere in the way of ours: `postalCode` is `postal_code`; empty values are gone."""
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower(): renamed(one) for key, one in value.items() if one not in (None, "", [])}
    return [renamed(one) for one in value] if isinstance(value, list) else value


def international(text: str, country: str) -> str:
    """A telephone number of a file whose numbers lack the country: `format: US` on the target."""
    import phonenumbers

    if text.strip().startswith(("+", "00")):
        return text
    code = phonenumbers.country_code_for_region(country.upper())
    return f"+{code}{re.sub(r'[^0-9]', '', text)}" if code else text


_DAY = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})(?:[T ,]+(.*))?$")


def date_order(texts: Iterable[str]) -> str:
    """`ymd`, `dmy` or `mdy`: what all dates of a column can be; day first where both can."""
    seen: Counter[str] = Counter()
    for text in texts:
        found = _DAY.match(text)
        if not found:
            continue
        first, second = found[1], int(found[2])
        if len(first) == 4:
            seen["ymd"] += 1
        elif int(first) > 12:
            seen["dmy"] += 1
        elif second > 12:
            seen["mdy"] += 1
    return seen.most_common(1)[0][0] if seen else "dmy"


def plain_date(text: str, kind: str, order: str, format: str | None, t: Any) -> str:
    """A date or moment of a file as ISO 8601; left as it is when it cannot be read, so that the field says why."""
    if format:
        try:
            moment = datetime.strptime(text, format)
            return moment.date().isoformat() if kind == "date" else moment.isoformat()
        except ValueError:
            return text
    found = _DAY.match(text)
    if not found:
        return text
    one, two, three, rest = found[1], found[2], found[3], found[4]
    year, month, day = {"ymd": (one, two, three), "mdy": (three, one, two)}.get("ymd" if len(one) == 4 else order, (three, two, one))
    if len(year) == 2:
        year = f"{2000 + int(year) if int(year) < 70 else 1900 + int(year)}"
    iso = f"{int(year):04}-{int(month):02}-{int(day):02}"
    if not rest:
        return iso
    try:
        moment = datetime.fromisoformat(f"{iso}T{rest.strip()}")
    except ValueError:
        return text if kind == "datetime" else iso
    if kind == "datetime":
        return moment.isoformat()
    zone = getattr(t, "tz", None)
    return (moment.astimezone(zone) if moment.tzinfo and zone else moment).date().isoformat()


def decimal_comma(texts: Iterable[str]) -> bool:
    """Whether a column writes 1.234,56 (or 12,5) rather than 1,234.56."""
    votes = 0
    for text in texts:
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            votes += 10 if comma > point else -10
        elif comma >= 0:
            votes += 1 if text.count(",") == 1 and len(text) - comma - 1 != 3 else -1
        elif point >= 0:
            votes -= 1 if text.count(".") == 1 and len(text) - point - 1 != 3 else 0
    return votes > 0


def plain_number(text: str, comma: bool) -> str:
    """A number with a decimal point and no grouping; signs, currencies and % stay."""
    for space in "\u00a0\u202f\u2009' ":
        text = text.replace(space, "") if re.search(rf"\d{re.escape(space)}\d", text) else text
    if comma:
        return text.replace(".", "").replace(",", ".")
    return re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text)
