"""What the forecast and the what-if page share: figures in the user's way, ranges by month as a fan, work done beside the window."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import panel as pn

from crm.views.base import told

log = logging.getLogger("crm.views")
#: Lines across a fan.
LINES = 4


def filled(value: Any) -> bool:
    """Whether a figure is there at all."""
    return value is not None and value == value


class Money:
    """Amounts of one forecast: `short` for charts and figures, `full` for tables, `signed` for what is added or taken."""

    def __init__(self, app: Any, spec: Any) -> None:
        entity, pipeline = app.schema.entities[spec.entity], app.schema.pipelines[spec.pipelines[0]]
        self.t = app.t
        self.currency = getattr(entity.fields[pipeline.fields["amount"]], "currency", "") or ""

    def short(self, value: Any) -> str:
        return self.t.money_short(round(float(value)), self.currency) if filled(value) else "–"

    def full(self, value: Any) -> str:
        return self.t.money(round(float(value)), self.currency, decimals=0) if filled(value) else "–"

    def signed(self, value: float) -> str:
        return f"{'+' if value > 0 else '−' if value < 0 else '±'}{self.t.money_short(abs(round(value)), self.currency)}"


def fan(
    money: Money,
    labels: Sequence[str],
    low: Sequence[float],
    middle: Sequence[float],
    high: Sequence[float],
    *,
    done: Sequence[float] | None = None,
    goal: Sequence[float] | None = None,
    other: Sequence[float] | None = None,
    tips: Sequence[str] = (),
    top: float = 0.0,
) -> dict[str, Any]:
    """A range by month as the browser draws it: heights in percent of `top`, which is rounded up to a line.

    `done` is what is won already, `goal` a mark, `other` a second line to compare with.
    """
    low, middle, high = list(low), list(middle), list(high)
    done, goal, other = (list(one) if one is not None else None for one in (done, goal, other))
    rows = [one for one in (high, middle, done, goal, other) if one is not None]
    step = nice(max([top, *(float(value) for row in rows for value in row if filled(value))], default=1.0) / LINES)
    whole = step * LINES
    part = lambda value: round(100 * float(value) / whole, 2) if filled(value) else None  # noqa: E731
    each = lambda row, n: part(row[n]) if row is not None else None  # noqa: E731
    columns = [
        {
            "key": str(n),
            "label": label,
            "low": part(low[n]),
            "mid": part(middle[n]),
            "high": part(high[n]),
            "done": each(done, n),
            "goal": each(goal, n),
            "other": each(other, n),
            "text": money.short(middle[n]),
            "tip": tips[n] if tips else "",
        }
        for n, label in enumerate(labels)
    ]
    return {"columns": columns, "ticks": [{"at": 100 * n / LINES, "label": money.short(step * n)} for n in range(LINES + 1)]}


def nice(step: float) -> float:
    """A step of a scale that reads well, at least as large."""
    if step <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(step))
    return next(one * size for one in (1, 2, 2.5, 5, 10) if one * size >= step * 0.999)


def month_name(t: Any, month: date) -> str:
    return str(t.period(month, "month"))


def beside(app: Any, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
    """Works something out without holding up other windows; `done` gets the answer, `failed` the words of what went wrong.

    Begun when the browser asks for it: what is changed before a page is connected would never be sent to it."""
    document = pn.state.curdoc

    def worked() -> Callable[[], None]:
        try:
            found = work()
        except Exception as exc:
            words = told(exc, app.t)["error"]
            return lambda: failed(words)
        return lambda: shown(found)

    def shown(found: Any) -> None:
        try:
            done(found)
        except Exception as exc:
            failed(told(exc, app.t)["error"])

    if document is None or document.session_context is None:
        worked()()
        return
    threading.Thread(target=lambda: document.add_next_tick_callback(worked()), daemon=True).start()


def notebook(app: Any, kind: str, name: str, **params: Any) -> dict[str, Any]:
    """The notebook that makes this again, as a file the browser saves."""
    import base64

    from crm.analytics.notebook import file_name, notebook_of

    data = notebook_of(app.door, kind, name, **params)
    return {"file": {"name": file_name(kind, name), "kind": "application/x-ipynb+json", "data": base64.b64encode(data).decode()}}
