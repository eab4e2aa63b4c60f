"""A report's rows as stays: one row each time a record was in a stage, with the stage it went to next and the days in between (F6).

A row knows, besides the fields of its record, `stay.stage`, `stay.next`, `stay.since`, `stay.until` (moments), `stay.days` (empty while it
lasts), `stay.first` (never there before), `stay.ended` and `stay.forward` (it went to a later stage or was won). Where the records of the
report are events themselves (a log: of whom, what, when), each begins a stay that lasts to the next event of the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.values import cells
from crm.records.stays import column, ways

if TYPE_CHECKING:
    import pandas as pd

    from crm.records import Door
    from crm.schema.model import Report


def stayed(door: Door, report: Report, paths: list[str], conditions: list[Any], as_of: datetime | None) -> pd.DataFrame:
    """A row a stay of what the user may see, in the order of record and time: the columns `paths`, of its record and of the stay itself."""
    import numpy as np
    import pandas as pd

    stays = report.stays
    assert stays is not None
    log = not stays.field
    own = [path for path in paths if not path.startswith("stay.")]
    needed = [stays.of, stays.what, stays.on] if log else [stays.field, "created_on"]
    frame = door.frame(report.entity, list(dict.fromkeys([*own, *needed, "id"])), where=conditions, as_of=as_of, stored=True)
    size = len(frame)
    if log:
        whom, what, on = (cells(frame[one]) for one in needed)
        taken = np.array(
            sorted((n for n in range(size) if whom[n] is not None and on[n] is not None), key=lambda n: (str(whom[n]), str(on[n]), n)),
            dtype=np.int64,
        )
        owner = pd.factorize(column(whom[n] for n in taken))[0]
        values, since = column(what[n] for n in taken), column(on[n] for n in taken)
    else:
        ids = frame["id"].to_numpy(dtype=np.int64)
        created, now = column(cells(frame["created_on"])), column(cells(frame[stays.field]))
        found = ways(door.company, report.entity, stays.field, as_of)
        place = np.full(max([int(ids.max(initial=0)), int(found.record.max(initial=0))]) + 1, -1, dtype=np.int64)
        place[ids] = np.arange(size)
        at = place[found.record]
        there = at >= 0
        still = np.setdiff1d(np.arange(size), at[there])  # those that never changed
        taken = np.concatenate([at[there], still])
        order = np.argsort(taken, kind="stable")
        taken = owner = taken[order]
        values = np.concatenate([found.value[there], now[still]])[order]
        since = np.concatenate([found.since[there], column("" for _ in still)])[order]
        begins = np.ones(len(taken), dtype=bool)
        begins[1:] = taken[1:] != taken[:-1]
        for n in np.flatnonzero(begins):  # a record begins where it was made, also when its past is known from later on only
            made = created[taken[n]]
            if made and (not since[n] or since[n] > made):
                since[n] = made
    same = np.zeros(len(taken), dtype=bool)
    same[:-1] = owner[1:] == owner[:-1]
    following, until = np.full(len(taken), None, dtype=object), np.full(len(taken), None, dtype=object)
    goes = np.flatnonzero(same)
    following[goes], until[goes] = values[goes + 1], since[goes + 1]
    codes, kinds = pd.factorize(values)

    def days() -> Any:
        start = np.array([one[:23] if one else "NaT" for one in since], dtype="datetime64[ms]")
        end = np.full(len(taken), np.datetime64("NaT"), dtype="datetime64[ms]")
        end[goes] = start[goes + 1]
        return (end - start) / np.timedelta64(1, "D")

    def ahead() -> Any:
        steps = order_of(door, report)
        known = {(a, b): forward(steps, a, b) for a in [*kinds, None] for b in [*kinds, None]}
        return column(known[a, b] for a, b in zip(values, following, strict=True))

    told = {
        "stay.stage": lambda: values,
        "stay.next": lambda: following,
        "stay.since": lambda: column(one or None for one in since),
        "stay.until": lambda: until,
        "stay.days": days,
        "stay.first": lambda: ~pd.Series(owner.astype(np.int64) * (len(kinds) + 2) + codes).duplicated().to_numpy(),
        "stay.ended": lambda: same,
        "stay.forward": ahead,
    }
    made = {path: pd.Series(frame[path].to_numpy()[taken]) for path in own}
    made |= {path: pd.Series(told[path](), dtype="float64" if path == "stay.days" else object) for path in paths if path in told}
    return pd.DataFrame(made, index=range(len(taken)))


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
