"""Reports that can be had again (I7): what was given away is kept under its stamp, and computed anew years later.

    keep(door, result)                      # a report whose stamp is shown: printed, downloaded, mailed, or asked for on its page
    found = again(company, "9f86d081884c7d65")
    found.same, found.differences, found.why, found.result

Kept are the parameters, the user with role and team, the moment, the figures and, once per hash, the text of the configuration
(compressed). `again` lays the configuration of then over the store as it was then and opens the door of the user of then: the same way to
the figures, with the same rights. Nothing is thrown away: a stamp is a few hundred bytes, equal figures are kept once.

What cannot be had again is said: a stamp nobody kept, records whose past was removed, changes dated before that moment but written after
it, a configuration that this version does not read any more.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tinydb.queries import where

from crm.analytics.analyses.base import ANALYSES
from crm.analytics.own import plain, report_of
from crm.analytics.reports import Result, report_for, run
from crm.analytics.shapes import Choices
from crm.errors import ConfigError, Denied, Missing, Refused
from crm.records import SYSTEM
from crm.records.company import stamp as stored
from crm.records.then import company_then

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Schema

#: The store's table of what was given away.
STAMPS = "_stamps"
#: Changes looked through for such as were written late, at most.
LOOKED = 200_000
_kept_configurations: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def keep(door: Door, result: Result, how: str = "report", spec: Mapping[str, Any] | None = None) -> str:
    """Remember a result whose stamp is shown (`how`: report, page, csv, png, pack …), so that it can be had again; its stamp comes back.

    `spec` is the definition of a report that was made on the spot and stands in no configuration.
    """
    company, store = door.company, door.company.store
    table = store.table(STAMPS)
    definition = dumps(plain(spec)) if spec is not None else None
    result = replace(result, stamp=stamp_of(result.stamp, definition))
    with store.transaction(actor=door.actor.login, note="Report kept"):
        table.declare(fields={"stamp": "text", "report": "text", "ran": "datetime"}, indexes=[["stamp"]], history=False)
        if table.count(where("stamp") == result.stamp):
            return result.stamp
        actor, ran = door.actor, result.as_of if result.asked is None else company.now()
        figures = {"columns": [[one.key, one.label, one.role] for one in result.columns], "keys": keys_of(result), "rows": result.rows}
        row = {
            "stamp": result.stamp,
            "report": result.report.name,
            "how": how,
            "ran": stored(ran),
            "as_of": stored(result.asked) if result.asked is not None else None,
            "where": result.wanted,
            "period": [str(one) for one in result.period] if result.period else None,
            "choices": asdict(result.choices) if result.choices else None,
            "spec": definition,
            "configuration": result.configuration,
            "text": configuration_kept(company),
            "user": actor.id,
            "login": actor.login,
            "role": actor.role,
            "team": actor.team,
            "language": door.words.language,
            "version": version("crm"),
            "engine": engine_of(result.report),
            "sequence": store.sequence,
            "entity": result.report.entity,
            "records": company.count(result.report.entity),
            "figures": store.blob_put(zlib.compress(dumps(figures).encode(), 9)),
        }
        table.insert({key: value for key, value in row.items() if value is not None})
    return result.stamp


def stamp_of(mark: str, definition: str | None) -> str:
    """The stamp of a result, with the definition it was made by where that stands in no configuration."""
    return mark if definition is None else hashlib.sha256(f"{mark}{definition}".encode()).hexdigest()[:16]


def configuration_kept(company: Any) -> str:
    """The blob with the text of the configuration in use; written once per configuration."""
    schema = company.schema
    known = _kept_configurations.setdefault(company, {})
    if schema.hash not in known or company.store.blob_get(known[schema.hash]) is None:
        known[schema.hash] = company.store.blob_put(zlib.compress(schema.text.encode(), 9))
    return known[schema.hash]


def engine_of(report: Any) -> str | None:
    """What tells one way of working an analysis out from a later one, where it says so."""
    engine = getattr(ANALYSES[report.analysis], "engine", None) if report.analysis in ANALYSES else None
    return None if engine is None else str(engine())


def keys_of(result: Result) -> list[list[Any]]:
    """The stored values of the dimensions of each row, as JSON."""
    return [[one if one is None or isinstance(one, (str, int, float, bool)) else str(one) for one in keys] for keys in result.keys]


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# -- again


@dataclass
class Again:
    """A report had again. `same`: every figure is that of then; else `differences` are {row, column, then, now} and `why` says what can be
    said about it. `notes` tell what is otherwise today without making a difference."""

    kept: dict[str, Any]
    result: Result
    same: bool
    differences: list[dict[str, Any]] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def comparison(self) -> dict[str, Any]:
        """What is added to the report's document: how its figures stand to those of then."""
        told = {"same": self.same, "differences": self.differences, "why": self.why, "notes": self.notes}
        return {"stamp": self.kept["stamp"], "configuration": self.kept["configuration"], "user": self.kept["login"], **told}

    def lines(self, t: Any) -> list[str]:
        """The same in words."""
        if self.same:
            return [t("The same figures as then."), *self.notes]
        found = [t("{n} figures differ.", n=len(self.differences))]
        for one in self.differences[:20]:
            said = ", ".join("–" if value is None else str(value) for value in one["row"])
            found.append(f"  {' · '.join(part for part in (said, one['column'] or '') if part)}: {one['then']} → {one['now']}")
        return [*found, *self.why]


def again(company: Any, mark: str, asker: Door | None = None) -> Again:
    """The report kept under a stamp, computed anew and compared with what was kept.

    `asker` is who asks: the engine (None too) may have every report again, people their own, while they still have the rights of then.
    Raises `Missing` or `Refused` with what is no longer there.
    """
    t = company.words() if asker is None else asker.words
    kept = company.store.table(STAMPS).get(where("stamp") == mark) if company.store.table(STAMPS).count() else None
    if kept is None or (asker is not None and not asker.actor.system and asker.actor.id != kept.get("user")):
        raise Missing("No report was kept under the stamp {stamp}.", stamp=mark)
    kept = dict(kept)
    notes: list[str] = []
    schema = configuration_of(company, kept, notes, t)
    ran = moment(kept["ran"])
    then = company_then(schema, company.store, ran)
    door = then.door(actor_of(company, then, kept, notes, t))
    if asker is not None and not asker.actor.system:
        still_allowed(asker, kept)
    name = kept["report"]
    definition = kept.get("spec")
    if definition is None and not (name in schema.reports or name in schema.kpis or name.startswith("card-")):
        if kept["entity"] not in schema.entities:
            raise Refused(
                "The report {report} cannot be had again: there is no {entity} in today's configuration, and that of then was not kept.",
                report=name, entity=kept["entity"],
            )  # fmt: skip
        raise Refused(
            "The report {report} cannot be had again: it is not in today's configuration, and that of then was not kept.", report=name
        )
    days = [date.fromisoformat(one) for one in kept.get("period", [])]
    asked = moment(kept["as_of"]) if kept.get("as_of") else None
    try:
        report = report_of(door, json.loads(definition), name) if definition is not None else name
        result = run(
            door, report, where=kept.get("where"), as_of=asked, period=(days[0], days[1]) if days else None,
            choices=Choices(**kept["choices"]) if "choices" in kept else None,
        )  # fmt: skip
        result = replace(result, stamp=stamp_of(result.stamp, definition))
    except ConfigError as error:
        raise Refused("The report {report} cannot be had again: {why}", report=name, why=str(error.faults[0])) from None
    except Missing:
        raise Refused("The report {report} cannot be had again with the rights of {user}.", report=name, user=kept["login"]) from None
    found = Again(kept, result, True, notes=notes)
    compare(company, found, t)
    if not found.same:
        found.why = reasons(company, then, kept, ran, t) + notes
        if engine_of(result.report) != kept.get("engine"):
            found.why.append(t("What it foretells is worked out in another way since then."))
        found.why = found.why or [t("What made the difference cannot be told.")]
    return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def configuration_of(company: Any, kept: dict[str, Any], notes: list[str], t: Any) -> Schema:
    """The configuration a report was computed with: today's if it is the same, else the kept one, else (and it is noted) today's."""
    schema: Schema = company.schema
    if schema.hash == kept["configuration"]:
        return schema
    data = company.store.blob_get(kept["text"])
    if data is None:
        notes.append(t("The configuration of then is not kept any more; today's was used."))
        return schema
    try:
        return unpacked(zlib.decompress(data).decode(), kept["configuration"])
    except ConfigError as error:
        notes.append(t("This version does not read the configuration of then ({why}); today's was used.", why=str(error.faults[0])))
    except (zlib.error, ValueError):
        notes.append(t("The kept configuration of then is damaged; today's was used."))
    return schema


@lru_cache(maxsize=4)
def unpacked(text: str, expected: str) -> Schema:
    """The configuration of a kept text. Raises ValueError when it is not the one with this hash."""
    from crm.schema import load

    if hashlib.sha256(text.encode()).hexdigest() != expected:
        raise ValueError(expected)
    with tempfile.TemporaryDirectory(prefix="crm-then-") as folder:
        for path, content in json.loads(text).items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dumps(content), encoding="utf-8")
        return load(folder)


def actor_of(company: Any, then: Any, kept: dict[str, Any], notes: list[str], t: Any) -> Any:
    """The user a report was made for, as they were then; what has become of them is noted."""
    if kept.get("user") is None:
        return SYSTEM
    try:
        actor = then.people.actor(kept["user"])
    except Missing:
        raise Refused("The user {user} cannot be found any more, not even in the past.", user=kept["login"]) from None
    try:
        now = company.people.actor(kept["user"])
    except Missing:
        notes.append(t("The user {user} is gone; the rights of then were used.", user=kept["login"]))
        return actor
    if not now.active:
        notes.append(t("The account {user} is switched off; the rights of then were used.", user=kept["login"]))
    if (now.role, now.team) != (kept.get("role"), kept.get("team")):
        notes.append(t("{user} has other rights today; those of then were used.", user=kept["login"]))
    return actor


def still_allowed(asker: Door, kept: dict[str, Any]) -> None:
    """Whoever asks for their own report must have the rights of then still."""
    name, allowed = kept["report"], (asker.actor.role, asker.actor.team) == (kept.get("role"), kept.get("team"))
    if allowed and (name in asker.schema.reports or name in asker.schema.kpis):
        try:
            report_for(asker, name)
        except Missing:
            allowed = False
    if not allowed:
        raise Denied("You have other rights today than when this report was made.")


def compare(company: Any, found: Again, t: Any) -> None:
    """Put the figures of now beside those of then."""
    data = company.store.blob_get(found.kept["figures"])
    if data is None:
        raise Refused("The figures kept under the stamp {stamp} are gone.", stamp=found.kept["stamp"])
    then = json.loads(zlib.decompress(data))
    result = found.result
    before, after = lines(then["columns"], then["keys"], then["rows"]), lines(
        [[one.key, one.label, one.role] for one in result.columns], keys_of(result), json.loads(dumps(result.rows))
    )  # fmt: skip
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        row = (old or new or ("", {}))[0]
        if old is None or new is None:
            found.differences.append({"row": row, "column": None, "then": old and old[1], "now": new and new[1]})
            continue
        for column in dict.fromkeys([*old[1], *new[1]]):
            if old[1].get(column) != new[1].get(column):
                found.differences.append({"row": row, "column": column, "then": old[1].get(column), "now": new[1].get(column)})
    found.same = not found.differences


def lines(columns: list[Any], keys: list[Any], rows: list[list[Any]]) -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """Rows by their stored keys (and how often these came before): what they are called, and their figures by column."""
    found: dict[str, tuple[list[Any], dict[str, Any]]] = {}
    for key, row in zip(keys, rows, strict=True):
        name, times = dumps(key), 0
        while f"{name}{times}" in found:
            times += 1
        called = [value for value, column in zip(row, columns, strict=True) if column[2] == "dimension"]
        figures = {column[0]: value for value, column in zip(row, columns, strict=True) if column[2] != "dimension"}
        found[f"{name}{times}"] = (called, figures)
    return found


def reasons(company: Any, then: Any, kept: dict[str, Any], ran: datetime, t: Any) -> list[str]:
    """What can be said about why figures are not those of then."""
    found = []
    entity = kept["entity"]
    label = company.schema.entities[entity].plural_in(t) if entity in company.schema.entities else entity
    there = then.count(entity) if entity in then.schema.entities else 0
    if there != kept["records"]:
        found.append(
            t("Then there were {then} records of {entity}; of that day {now} are left, with their past.", then=kept["records"], now=there, entity=label)
        )  # fmt: skip
    if company.store.sequence < kept["sequence"]:
        found.append(t("The store is an older one than the report was made from: a backup was put back."))
    late = written_late(company, kept["sequence"], ran)
    if late:
        found.append(t("{n} changes dated before this report were written after it.", n=late))
    if kept["version"] != version("crm"):
        found.append(t("It was computed by version {then}; this is version {now}.", then=kept["version"], now=version("crm")))
    return found


def written_late(company: Any, since: int, ran: datetime) -> int:
    """How many changes of records carry a time before a moment and were written after it: imports of the past, long steps."""
    late, looked, until = 0, 0, stored(ran.astimezone(UTC))
    while looked < LOOKED:
        changes = company.store.changes(since, 5000)
        if not changes:
            break
        late += sum(one.at <= until and not one.table.startswith("_") for one in changes)
        looked, since = looked + len(changes), changes[-1].seq
    return late
