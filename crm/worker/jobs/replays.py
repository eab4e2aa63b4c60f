"""The record of each forecast, made ready at night (I3)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm.errors import Denied, Missing
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company

#: The hours of the night, and how long other jobs wait at a time.
NIGHT, LONG = range(1, 6), timedelta(seconds=20)
#: Where the store's settings keep how far it got: {"day", "terms", "done": [[forecast, user]], "used": {forecast: names}}.
STATE = "forecast.replays"


@JOBS.add
class Replays(Job):
    """Works out what forecasts would have said at the beginnings of past months, for everybody who sees them, so that their record is
    there at once: each night, and after stages of the configuration were changed. What nobody used by then is forgotten."""

    name, every = "replays", timedelta(minutes=3)

    def run(self, company: Company, now: datetime) -> None:
        from crm.analytics.forecast import kept, record
        from crm.records import SYSTEM

        state = company.store.meta.get(STATE) or {}
        door, asked = company.door(SYSTEM), company.schema.forecasts
        terms = {name: kept.terms(door, spec) for name, spec in asked.items()}
        changed = bool(state) and state["terms"] != terms
        if state.get("day") != str(now.date()) or changed:
            if not changed and now.hour not in NIGHT:
                return
            state = {"day": str(now.date()), "terms": terms, "done": [], "used": {name: [] for name in asked}}
        left = [one for one in self.wanted(company) if one not in state["done"]]
        if not left:
            return
        until = time.monotonic() + LONG.total_seconds()
        for name, user in left:
            if user_door := self.door_of(company, name, user):
                used = record.warm(user_door, asked[name])
                state["used"][name] = sorted({*state["used"][name], *used})
            state["done"].append([name, user])
            if time.monotonic() > until:
                break
        else:
            for name, used in state["used"].items():
                kept.tidy(company, name, set(used))
        company.store.meta.set(STATE, state)

    def wanted(self, company: Company) -> list[list[Any]]:
        """[forecast, user] of everybody; most see the same, which is worked out once."""
        users = company.schema.users
        people = [] if users is None else sorted(company.table(users.entity).ids(company.live))
        return [[name, user] for name in company.schema.forecasts for user in people]

    def door_of(self, company: Company, name: str, user: int) -> Any:
        """The door of a user who sees a forecast; None for others."""
        from crm.analytics import forecast

        try:
            door = company.door(company.actor(user))
        except (Denied, Missing):
            return None
        return door if name in forecast.names(door) else None
