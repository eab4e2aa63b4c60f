"""A report's rows as stays: one row each time a record was in a stage, with the stage it went to next and the days in between (F6).

A row knows, besides the fields of its record, `stay.stage`, `stay.next`, `stay.since`, `stay.until` (moments), `stay.days` (empty while it
lasts), `stay.first` (never there before), `stay.ended` and `stay.forward` (it went to a later stage or was won). Where the records of the
report are events themselves (a log: of whom, what, when), each begins a stay that lasts to the next event of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.values import Numbers, spread
from crm.records.columns import Column, Kinds, moments, placed
from crm.records.stays import stamps, ways

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Report

#: A day in milliseconds.
DAY = 86_400_000


def stayed(door: Door, report: Report, paths: list[str], conditions: list[Any], as_of: datetime | None) -> tuple[int, dict[str, Any]]:
    """A row a stay of what the user may see, in the order of record and time: how many, and the columns `paths`, of its record and of the
    stay itself."""
    import numpy as np

    stays = report.stays
    assert stays is not None
    log = not stays.field
    own = [path for path in paths if not path.startswith("stay.")]
    needed = [stays.of, stays.what, stays.on] if log else [stays.field, "created_on"]
    ids, columns = door.columns(report.entity, list(dict.fromkeys([*own, *needed])), conditions, as_of)
    stage: Column
    if log:
        whom, stage, on = (columns[one] for one in needed)
        there = np.flatnonzero((whom.codes >= 0) & (on.codes >= 0))
        taken = there[np.lexsort((there, *(ranked(one)[one.codes[there]] for one in (on, whom))))]
        owner = ranked(whom)[whom.codes[taken]]
        stage = stage.take(taken)
        at = spread(on, "moments", moments, -1)[taken]
    else:
        created, now = columns["created_on"], columns[stays.field]
        found = ways(door.company, report.entity, stays.field, as_of)
        place, seen = placed(ids, found.record)
        once = np.ones(len(ids), dtype=bool)
        once[place] = False
        still = np.flatnonzero(once)  # those that never changed
        taken = np.concatenate([place, still])
        order = np.argsort(taken, kind="stable")
        taken = owner = taken[order]
        stages = found.stage.kinds.codes(now.kinds.values)  # the same values under the numbers of the ways
        stage = Column(np.concatenate([found.stage.codes[seen], np.append(stages, -1)[now.codes[still]]])[order], found.stage.kinds)
        at = np.concatenate([found.at[seen], np.full(len(still), -1, dtype=np.int64)])[order]
        begins = np.ones(len(taken), dtype=bool)
        begins[1:] = taken[1:] != taken[:-1]
        made = spread(created, "moments", moments, -1)[taken]
        # a record begins where it was made, also when its past is known from later on only
        at = np.where(begins & (made >= 0) & ((at < 0) | (at > made)), made, at)
    same = np.zeros(len(taken), dtype=bool)
    same[:-1] = owner[1:] == owner[:-1]
    goes = np.flatnonzero(same)
    following = np.full(len(taken), -1, dtype=np.int32)
    following[goes] = stage.codes[goes + 1]

    def days() -> Numbers:
        start, length = np.where(at < 0, np.nan, at), np.full(len(taken), np.nan)
        length[goes] = (start[goes + 1] - start[goes]) / DAY
        return Numbers(length)

    def ahead() -> Column:
        steps, kinds = order_of(door, report), [*stage.kinds.values, None]
        known = np.array([[forward(steps, a, b) for b in kinds] for a in kinds], dtype=bool)
        return yes_or_no(known[stage.codes, following])

    def until() -> Column:
        found = np.full(len(taken), -1, dtype=np.int64)
        found[goes] = at[goes + 1]
        return timed(found)

    def first() -> Column:
        met = np.unique(owner.astype(np.int64) * (len(stage.kinds.values) + 2) + stage.codes, return_index=True)[1]
        found = np.zeros(len(taken), dtype=bool)
        found[met] = True
        return yes_or_no(found)

    told: dict[str, Callable[[], Any]] = {
        "stay.stage": lambda: stage,
        "stay.next": lambda: Column(following, stage.kinds),
        "stay.since": lambda: timed(at),
        "stay.until": until,
        "stay.days": days,
        "stay.first": first,
        "stay.ended": lambda: yes_or_no(same),
        "stay.forward": ahead,
    }
    made_of = {path: columns[path].take(taken) for path in own}
    return len(taken), made_of | {path: told[path]() for path in paths if path in told}


def timed(at: np.ndarray) -> Column:
    """A column of moments as they are stored."""
    return Column.of(one or None for one in stamps(at))


def yes_or_no(values: np.ndarray) -> Column:
    """A column of truths."""
    import numpy as np

    return Column(values.astype(np.int32), Kinds((False, True)))


def ranked(values: Column) -> np.ndarray:
    """The place of each of the values of a column in the order of their texts."""
    import numpy as np

    texts = [str(one) for one in values.kinds.values]
    known = {text: n for n, text in enumerate(sorted(set(texts)))}
    return np.array([*(known[text] for text in texts), -1], dtype=np.int64)


def order_of(door: Door, report: Report) -> dict[Any, tuple[int, str]]:
    """`{stage or option: (its place, how it ends or "")}` in the order of the YAML."""
    from crm.analytics.cuts import resolve

    stays = report.stays
    field = resolve(door, report.entity, (stays.field or stays.what) if stays is not None else "")
    if getattr(field, "pipelines", None):
        keys = list(dict.fromkeys(stage for pipeline in field.pipelines.values() for stage in pipeline.stages))
        return {key: (n, str(getattr(field.stage_of(key), "outcome", None) or "")) for n, key in enumerate(keys)}
    options = getattr(field, "options", None)
    return {key: (n, "") for n, key in enumerate(options)} if isinstance(options, dict) else {}


def forward(steps: dict[Any, tuple[int, str]], a: Any, b: Any) -> bool:
    """Whether the way from one stage to another is one ahead."""
    if b is None or a not in steps or b not in steps:
        return False
    return steps[b][1] == "won" or (steps[b][1] != "lost" and steps[b][0] > steps[a][0])
