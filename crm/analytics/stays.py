"""A report's rows as stays: one row each time a record was in a stage, with the stage it went to next and the days in between (F6).

A row knows, besides the fields of its record, `stay.stage`, `stay.next`, `stay.since`, `stay.until` (moments), `stay.days` (empty while it
lasts), `stay.first` (never there before), `stay.ended` and `stay.forward` (it went to a later stage or was won). Where the records of the
report are events themselves (a log: of whom, what, when), each begins a stay that lasts to the next event of the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.values import cells
from crm.records.stays import begun

if TYPE_CHECKING:
    import pandas as pd

    from crm.records import Door
    from crm.schema.model import Report


def stayed(door: Door, report: Report, paths: list[str], conditions: list[Any], as_of: datetime | None) -> pd.DataFrame:
    """A row a stay of what the user may see: the columns `paths` of its record, `id`, and `stay.…`, in the order of record and time."""
    import numpy as np
    import pandas as pd

    stays = report.stays
    assert stays is not None
    log = not stays.field
    needed = [stays.of, stays.what, stays.on] if log else [stays.field, "created_on"]
    frame = door.frame(report.entity, list(dict.fromkeys([*paths, *needed, "id"])), where=conditions, as_of=as_of, stored=True)
    ids: list[int]
    if log:
        whom, what, on = (cells(frame[one]) for one in needed)
        order = sorted(
            (n for n in range(len(frame)) if whom[n] is not None and on[n] is not None), key=lambda n: (str(whom[n]), str(on[n]), n)
        )
        owners, values, since = [whom[n] for n in order], [what[n] for n in order], [on[n] for n in order]
        taken = order
    else:
        ids = [int(one) for one in frame["id"].tolist()]
        now = dict(zip(ids, zip(cells(frame["created_on"]), cells(frame[stays.field]), strict=True), strict=True))
        ways = begun(door.company, report.entity, stays.field, now, as_of)
        place = {one: n for n, one in enumerate(ids)}
        owners, values, since, taken = [], [], [], []
        for one in ids:
            for at, value in ways[one]:
                owners.append(one)
                values.append(value)
                since.append(at)
                taken.append(place[one])
    size = len(owners)
    same = [n + 1 < size and owners[n + 1] == owners[n] for n in range(size)]
    until = [since[n + 1] if same[n] else None for n in range(size)]
    following = [values[n + 1] if same[n] else None for n in range(size)]
    steps = order_of(door, report)
    first, known = [], set()
    for owner, value in zip(owners, values, strict=True):
        first.append((owner, value) not in known)
        known.add((owner, value))
    start, end = (np.array([one[:23] if one else "NaT" for one in column], dtype="datetime64[ms]") for column in (since, until))
    days = (end - start) / np.timedelta64(1, "D")
    result = frame.iloc[taken].reset_index(drop=True)
    more: dict[str, Any] = {
        "stay.stage": values,
        "stay.next": following,
        "stay.since": [one or None for one in since],
        "stay.until": until,
        "stay.days": days,
        "stay.first": first,
        "stay.ended": same,
        "stay.forward": [forward(steps, a, b) for a, b in zip(values, following, strict=True)],
    }
    made = {key: pd.Series(column, dtype="float64" if key == "stay.days" else object) for key, column in more.items()}
    return pd.concat([result, pd.DataFrame(made)], axis=1)


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
