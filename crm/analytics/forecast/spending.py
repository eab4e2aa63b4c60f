"""What money for campaigns does, as far as the past tells: the part of new records that comes from campaigns, and how their number follows
the money. Both are shown beside what-if, with where they come from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from crm.records.columns import placed

if TYPE_CHECKING:
    from crm.analytics.forecast.learn import Learned
    from crm.records import Door
    from crm.schema.model import Forecast

#: How sure the assumed elasticity is (its standard deviation), and the campaigns needed to learn another.
SURE, LEAST = 0.2, 6


def assume(door: Door, spec: Forecast, learned: Learned, as_of: datetime | None) -> dict[str, Any]:
    """What the levers take for granted: `ramp` (months), `people` (who brought new records in a year), `campaign_share`, `elasticity` and
    `elasticity_learned` (from how many campaigns; 0: assumed)."""
    found: dict[str, Any] = {
        "ramp": spec.ramp,
        "people": learned.arrivals.people,
        "campaign_share": 0.0,
        "elasticity": 0.0,
        "elasticity_learned": 0,
    }
    if spec.spend is None or not door.path_open(spec.entity, spec.spend.campaign):
        return found
    ids, columns = door.columns(spec.entity, [spec.spend.campaign], as_of=as_of)
    linked = columns[spec.spend.campaign]
    recent = learned.history.ids[learned.arrivals.deal]
    if len(recent):
        place, there = placed(ids, recent)
        found["campaign_share"] = float((linked.codes[place] >= 0).sum()) / len(recent)
    found["elasticity"] = float(spec.spend.elasticity)
    times = np.bincount(linked.codes[linked.codes >= 0], minlength=len(linked.kinds.values)).tolist()
    slope, error, size = elasticity(door, {float(one): n for one, n in zip(linked.kinds.values, times, strict=True)}, as_of)
    if size >= LEAST and error > 0:
        weight = (1 / error**2) / (1 / error**2 + 1 / SURE**2)
        found["elasticity"] = float(np.clip(weight * slope + (1 - weight) * found["elasticity"], 0.0, 1.0))
        found["elasticity_learned"] = size
    return found


def elasticity(door: Door, many: dict[float, int], as_of: datetime | None) -> tuple[float, float, int]:
    """(slope, its standard error, campaigns) of the logarithms of records by money, by ordinary least squares over campaigns."""
    roles = door.schema.campaign_roles
    assert roles is not None
    money = roles.fields.get("cost") or roles.fields.get("budget") or ""
    if not door.may("see", roles.entity) or not door.path_open(roles.entity, money):
        return 0.0, 0.0, 0
    frame = door.frame(roles.entity, [money], as_of=as_of)
    spent = frame[money].astype(float)
    spent = spent[spent > 0]
    if len(spent) < LEAST or float(np.log(spent).std()) < 1e-6:
        return 0.0, 0.0, len(spent)
    x = np.log(spent.to_numpy())
    y = np.log([many.get(float(one), 0) + 0.5 for one in spent.index])
    x = x - x.mean()
    slope = float((x * (y - y.mean())).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    return slope, float(np.sqrt((rest**2).sum() / max(1, len(x) - 2) / (x**2).sum())), len(x)
