"""Replays that are kept in the store: what was foretold at a past moment is worked out once, whoever asks and however often the server
starts, until that past itself or what the configuration says of its stages is another.

The worker fills it at night (`crm.worker.jobs.replays`), so that nobody waits for the record of a forecast (I3).
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crm.analytics.forecast.history import History

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Forecast

#: How the names of kept replays begin in the store's settings.
START = "forecast.replay."


@dataclass
class Replayed:
    """What was foretold at one past moment: `figures` by month, and of each record open then its id, state, owner, source (its place in
    `sources`) and the chance that was said."""

    months: list[date]
    figures: dict[str, list[float]]
    ids: np.ndarray
    code: np.ndarray
    owner: np.ndarray
    kind: np.ndarray
    said: np.ndarray
    sources: list[Any]

    def kinds(self, history: History) -> np.ndarray:
        """The sources as the history numbers them; -1 for none."""
        number = {value: n for n, value in enumerate(history.sources)}
        return np.array([number.get(one, -1) for one in self.sources], dtype=np.int32)[self.kind]


ARRAYS = ("ids", "code", "owner", "kind", "said")


def fetched(door: Door, name: str) -> Replayed | None:
    """The replay of that name, where there is one."""
    found = door.company.store.meta.get(START + name)
    if found is None:
        return None
    arrays = np.load(io.BytesIO(base64.b64decode(found["arrays"])), allow_pickle=False)
    figures = {key: [float("nan") if one is None else one for one in values] for key, values in found["figures"].items()}
    months = [date.fromisoformat(one) for one in found["months"]]
    return Replayed(months=months, figures=figures, sources=found["sources"], **{key: arrays[key] for key in ARRAYS})


def keep(door: Door, name: str, one: Replayed) -> None:
    """Keeps a replay; a store as it was (`crm.records.then`) is given nothing."""
    if not door.company.store.sequence:
        return
    packed = io.BytesIO()
    np.savez_compressed(packed, **{key: getattr(one, key) for key in ARRAYS})
    figures = {key: [None if value != value else value for value in values] for key, values in one.figures.items()}
    told = {"months": [str(month) for month in one.months], "figures": figures, "sources": one.sources}
    door.company.store.meta.set(START + name, {**told, "arrays": base64.b64encode(packed.getvalue()).decode()})


def tidy(company: Any, name: str, used: set[str]) -> None:
    """Forgets the replays of a forecast that were not used."""
    for one in company.store.meta.names(f"{START}{name}."):
        if one.removeprefix(START) not in used:
            company.store.meta.set(one, None)


def terms(door: Door, spec: Forecast) -> str:
    """What is the same as long as the configuration would replay a forecast the same way: its stages, and the engine itself."""
    said = [
        (name, stage.key, stage.outcome, stage.index, str(stage.days), str(stage.probability), stage.forecast)
        for name in spec.pipelines
        for stage in door.schema.pipelines[name].stages.values()
    ]
    return blake2b(repr([said, spec.shrink, spec.source_path, str(door.company.zone), engine()]).encode(), digest_size=8).hexdigest()


@cache
def engine() -> str:
    """What the code that learns, draws and replays is, so that a better one is not told the figures of an older one."""
    found = blake2b(digest_size=8)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def fingerprint(history: History, moment: float, chosen: np.ndarray | None) -> str:
    """What is the same exactly when what was known at a moment is."""
    if chosen is None and moment in history.marks:
        return history.marks[moment]
    known = history.since <= moment
    deal = history.deal[known]
    found = blake2b(history.ids[deal].tobytes(), digest_size=16)
    for column in (history.since, history.code, history.amount, history.close, history.chance, history.owner):
        found.update(column[known].tobytes())
    kinds, first, back = np.unique(history.kind[known], return_index=True, return_inverse=True)
    order = np.argsort(first)  # sources are numbered as they come: what came later must not change the numbers of what was known
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    found.update(rank[back].tobytes())
    found.update(repr([history.sources[kinds[n]] if kinds[n] >= 0 else None for n in order]).encode())
    if chosen is not None:
        found.update(np.packbits(chosen[np.unique(deal)]).tobytes())
        return found.hexdigest()
    return history.marks.setdefault(moment, found.hexdigest())
