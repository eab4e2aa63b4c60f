"""Who uses the CRM: what each person wrote, week by week, out of the history (F13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from crm.analytics.analyses.base import ANALYSES, Analysis, Found

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

WEEKS = 12
#: From so many weeks of ten on somebody counts as using it.
REGULAR = Decimal("0.5")


@ANALYSES.add
class Adoption(Analysis):
    """A row a person (the records of the report, which are the users): what they wrote in the last `weeks` weeks and in how many of them.

    Counted are changes people made to records that the reader may see; one save is one, whatever it touched.
    """

    name = "adoption"
    options = {"weeks": "whole?", "role": "path?"}
    examples = {"weeks": "12"}
    columns = {
        "person": "dimension text",
        "role": "dimension text",
        "weekly": "measure number",
        "weeks": "measure percent",
        "writes": "measure integer",
        "before": "measure integer",
        "last": "dimension date",
    }
    clocked = True

    def open_to(self, door: Door, report: Report) -> bool:
        users = door.schema.users
        return users is not None and report.entity == users.entity and super().open_to(door, report)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, users = door.words, door.schema.users
        assert users is not None  # it is open only where there are users
        weeks = report.options.get("weeks", WEEKS)
        until = as_of or door.company.now()
        start, earlier = (until - timedelta(weeks=weeks * n) for n in (1, 2))
        role = report.options.get("role")
        frame = door.frame(report.entity, [one for one in ("id", role) if one], where=where, as_of=as_of, stored=True)
        people = [int(one) for one in frame.index.tolist()]
        logins = {door.company.people.actor(one).login: one for one in people if self.known(door, one)}
        wrote = self.wrote(door, logins, earlier, until)
        titles = door.titles(report.entity, people)
        field = door.schema_field(report.entity, role) if role else None
        rows, keys = [], []
        whole = self.sees_all(door)
        for one in people:
            moments = wrote.get(one, [])
            if not moments and not whole:
                continue  # they may have written what this reader does not see
            now = [at for at in moments if at >= start]
            active = {int((until - at) / timedelta(weeks=1)) for at in now}
            last = max(moments, default=None)
            row = [
                titles.get(one, "–"), None if field is None else field.display(field.from_json(frame[role][one]), door.shown),
                round(len(now) / weeks, 1), Decimal(len(active)) / weeks, len(now), len(moments) - len(now),
                None if last is None else last.astimezone(t.tz).date(),
            ]  # fmt: skip
            rows.append(row)
            keys.append((one,))
        order = sorted(range(len(rows)), key=lambda n: (-rows[n][4], keys[n]))
        labels = {
            "person": door.schema.entities[report.entity].label_in(t), "role": "" if field is None else field.label_in(t),
            "weekly": t("Changes a week"), "weeks": t("Weeks with a change"), "writes": t("Changes in {n} weeks", n=weeks),
            "before": t("In the {n} weeks before", n=weeks), "last": t("Last change"),
        }  # fmt: skip
        kept = [n for n, key in enumerate(self.columns) if key != "role" or field is not None]
        return Found(
            columns=[self.column(key, labels[key]) for n, key in enumerate(self.columns) if n in kept],
            rows=[[rows[n][at] for at in kept] for n in order],
            keys=[keys[n] for n in order],
            behind=[f"id == {keys[n][0]}" for n in order],
            opens=[(report.entity, keys[n][0]) for n in order],
            says=self.says(t, [rows[n] for n in order], weeks, whole),
        )

    def known(self, door: Door, id: int) -> bool:
        from crm.errors import Missing

        try:
            door.company.people.actor(id)
        except Missing:
            return False
        return True

    def wrote(self, door: Door, logins: dict[str, int], since: datetime, until: datetime) -> dict[int, list[datetime]]:
        """The moments at which each person changed something the reader may see; several changes of one second are one save."""
        import numpy as np

        first, last = (int(one.timestamp() * 1000) for one in (since, until))
        found: dict[int, set[int]] = {}
        for name in door.schema.entities:
            if not door.may("see", name):
                continue
            made = written(door, name, first)
            whom = np.array([logins.get(login, 0) for login in made.logins], dtype=np.int64)[made.who]
            rows = np.flatnonzero((whom > 0) & (made.at >= first) & (made.at <= last))
            docs, place = np.unique(made.doc[rows], return_inverse=True)
            known = door.values_of(name, "id", docs.tolist())
            seen = np.array([one in known for one in docs.tolist()], dtype=bool)
            rows = rows[seen[place]]
            for one in np.unique(whom[rows]).tolist():
                found.setdefault(one, set()).update(np.unique(made.at[rows][whom[rows] == one] // 1000).tolist())
        return {one: [datetime.fromtimestamp(at, UTC) for at in moments] for one, moments in found.items()}

    def sees_all(self, door: Door) -> bool:
        """Whether the reader sees every record whose changes are counted."""
        role = door.schema.roles.get(door.actor.role or "")
        if door.actor.system or door.actor.admin or role is None:
            return True
        return all(role.of(name).see == "all" for name in door.schema.entities)

    def says(self, t: Any, rows: list[list[Any]], weeks: int, whole: bool) -> str:
        """How many use it regularly, and who stopped; to whom not everything is shown, that."""
        regular = [row for row in rows if row[3] >= REGULAR]
        silent = [row for row in rows if not row[4]]
        if not rows:
            return ""
        said = str(
            t("{n} of {all} people wrote something in at least half of the last {weeks} weeks.", n=len(regular), all=len(rows), weeks=weeks)
        )
        if silent:
            said += " " + t("{n} wrote nothing: {names}.", n=len(silent), names=", ".join(row[0] for row in silent[:4]) + (" …" if len(silent) > 4 else ""))  # fmt: skip
        return said if whole else f"{said} {t('Counted is what you may see.')}"


@dataclass
class Written:
    """The changes of one kind of record from a moment on (ms since 1970): by whom (a place in `logins`), when, of which record."""

    generation: int
    since: int
    sequence: int
    logins: list[str]
    who: Any
    at: Any
    doc: Any


#: Of each company by entity what was written so far: history only grows, so the next reader asks for what came since.
_written: WeakKeyDictionary[Any, dict[str, Written]] = WeakKeyDictionary()
FAR = 1 << 60


def written(door: Door, entity: str, since: int) -> Written:
    """What was written at `since` or later, whoever may see it."""
    import numpy as np

    company = door.company
    kept, sequence = _written.setdefault(company, {}), company.store.sequence
    one = kept.get(entity)
    if one is None or one.generation != company.generation or since < one.since or sequence < one.sequence:
        nothing = np.zeros(0, dtype=np.int64)
        one = Written(company.generation, since, 0, [], nothing, nothing, nothing)
    if one.sequence < sequence or not one.sequence:
        rows = company.table(entity).writes(since, FAR, one.sequence)
        place = {login: n for n, login in enumerate(one.logins)}
        who = [place.setdefault(row[0], len(place)) for row in rows]
        late = one.at >= since  # what is older is not asked for again
        one = Written(
            company.generation,
            since,
            sequence,
            list(place),
            np.concatenate([one.who[late], np.array(who, dtype=np.int64)]),
            np.concatenate([one.at[late], np.array([row[1] for row in rows], dtype=np.int64)]),
            np.concatenate([one.doc[late], np.array([row[2] for row in rows], dtype=np.int64)]),
        )
        if sequence and not company.store.writing:  # the past has no sequence
            kept[entity] = one
    return one
