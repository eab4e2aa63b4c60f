"""What `crm.open()` gives: the data, reports and views of a company in Python and in Jupyter, one line each.

    import crm
    c = crm.open()                                   # the folder's configuration and store, as the engine itself
    c = crm.open("config/sales", user="anna")        # as a user, with her rights
    c.report("win_rate").frame                       # pandas;  .chart  HoloViews
    c.opportunity.frame(where="stage.open", as_of="2026-01-01")
    c.opportunity.create(name="Pilot", account=3)
    c.chart("opportunity", by="stage", measures="sum(amount)")      # a report made on the spot
    c.forecast()  c.backtest()  c.simulate(win_rate=1.1)            # what will come, how good that was, what if
    c.view("board", "b2b")                           # the app's own screens, alive
    c.opportunity.segment("Big", "amount > 100000") # a tab of the app's list;  c.card("My chart", …) a card of its home page

Also says where configuration and data are when nobody says it (`config_folder`, `data_url`), for the command line and the server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm.errors import Missing, Refused

if TYPE_CHECKING:
    import pandas as pd

    from crm.records import Door, Record

CONFIG, DATA = "config/sales", "var/crm.db"


def config_folder(asked: str | Path | None = None) -> Path:
    """The configuration's folder: as asked (a folder, or the name of a shipped one), else `CRM_CONFIG`, else the one of this place.

    That is `config/sales` where it exists, or the working folder itself when it holds a `crm.yaml`; else the shipped `sales`.
    """
    from crm.schema import shipped, shipped_names

    chosen = str(asked or os.environ.get("CRM_CONFIG") or "")
    if chosen and Path(chosen).is_dir():
        return Path(chosen)
    if not chosen:
        here = next((folder for folder in (Path(CONFIG), Path(".")) if (folder / "crm.yaml").is_file()), None)
        if here is not None:
            return here
    name = "sales" if chosen in ("", CONFIG) else chosen
    if "/" in name or os.sep in name or name not in shipped_names():
        raise Refused("There is no configuration folder {name}. `crm init {name}` makes one.", name=chosen or CONFIG)
    return shipped(name)


def data_url(asked: str | Path | None = None) -> str:
    """The store: as asked, else `CRM_DATA`, else `var/crm.db` below the working folder."""
    return str(asked or os.environ.get("CRM_DATA") or DATA)


def open_company(config: str | Path | None = None, data: str | Path | None = None, *, create: bool = True) -> Any:
    """The company of a configuration and a store. Without `create` a store that is not there yet is refused."""
    folder, url = config_folder(config), data_url(data)
    from crm.schema import load

    schema = load(folder)
    if "://" not in url:
        if not create and not Path(url).exists():
            raise Refused("There is no data at {name} yet. `crm demo` fills it with an example, `crm import` with your own.", name=url)
        Path(url).parent.mkdir(parents=True, exist_ok=True)
    from crm.records import Company
    from crm.stores import open_store

    return Company(schema, open_store(url))


def open(config: str | Path | None = None, data: str | Path | None = None, user: str | int | None = None, dark: bool = False) -> Client:
    """Open a configuration and its data. `user` is a login (or id) whose rights hold; None is the engine itself, which sees all.

    `dark`: charts stand on the dark ground of the app, for a notebook with a dark theme (Python is not told which theme it has).
    """
    _prepare_notebook()
    return Client(open_company(config, data), user, dark)


class Client:
    """One company in Python: an attribute per entity, `.report()`, `.view()`, `.search()`; `.door` for everything else."""

    def __init__(self, company: Any, user: str | int | None = None, dark: bool = False) -> None:
        from crm.records import SYSTEM

        self.company, self.dark = company, dark
        self.actor = SYSTEM if user is None else company.actor(user)
        self.door: Door = company.door(self.actor)

    @property
    def schema(self) -> Any:
        return self.company.schema

    @property
    def store(self) -> Any:
        return self.company.store

    @property
    def t(self) -> Any:
        """Words in the user's language."""
        return self.schema.words(self.actor.language)

    def __getattr__(self, name: str) -> Records:
        if name.startswith("_") or name not in self.schema.entities:
            from crm.schema.faults import meant

            said = f"There is no entity called {name!r}.{meant(name, self.schema.entities)}"
            raise AttributeError(f"{said} There are: {', '.join(self.schema.entities)}.")
        return Records(self, name)

    __getitem__ = __getattr__

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.schema.entities]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.schema.title}: {self.schema.name} as {self.actor.name}>"

    def close(self) -> None:
        self.store.close()

    def _listing(self, entity: str, **address: str) -> Any:
        """What an address of a list asks for, as in the app."""
        from types import SimpleNamespace

        from crm.views.kept import Kept
        from crm.views.listing import Listing

        asking = SimpleNamespace(
            company=self.company, door=self.door, schema=self.schema, t=self.t, kept=Kept(self.company), preference=self.door.preference
        )
        found = Listing(asking, entity, {key: value for key, value in address.items() if value})
        if address.get("v") and found.view != address["v"]:
            raise unknown("view", address["v"], [name for name, _, _ in found.view_list()])
        return found

    def search(self, text: str, limit: int = 30) -> list[Any]:
        """Records by any text in them, best first: hits with `.entity .id .title .snippet`."""
        return self.door.search(text, limit=limit)

    def users(self) -> list[dict[str, Any]]:
        """Who works here: `{"id", "login", "name", "role"}` of everyone active; open the data as one of them with `crm.open(user=login)`."""
        found = []
        for record in self.door.list(self.schema.users.entity, limit=None):
            actor = self.company.people.actor(record.id)
            if actor.active:
                found.append({"id": actor.id, "login": actor.login, "name": actor.name, "role": actor.role})
        return found

    @property
    def reports(self) -> list[str]:
        """The names of the reports this user may run: KPIs, forecasts and the cards kept by `card` are run by `report` too."""
        from crm.analytics import names

        return names(self.door)

    @property
    def kpis(self) -> list[str]:
        """The names of the KPIs this user may see; `c.report(name)` gives the figure by period, with target and light."""
        from crm.analytics import kpis

        return kpis.names(self.door)

    def report(
        self, name: str | Mapping[str, Any] | Shown, *, where: str | None = None, as_of: Any = None, period: Any = None,
        compare: str = "", by: str = "", measure: str = "", dark: bool | None = None, **options: Any,
    ) -> Report:  # fmt: skip
        """A report by its name, or by its definition with the keys of a report's YAML: `.frame` (pandas), `.chart` (HoloViews), `.rows`, `.says`.

        `where` narrows it, `as_of` (a date, a moment) shows the past, `period` takes the place of the report's own: `"2026"`, `"2026-Q2"`,
        `"2026-06"`, or a pair of dates (the first day, the day after the last); `"last_quarter"` and `"2026-01-01..2026-03-31"` as on the
        report's page, where `compare`, `by` and `measure` can be chosen too. Figures of money are in units of their currency. `.stamp`
        keeps the figures, so that `crm report --again STAMP` gives them years later. `dark` as in `crm.open`, for this one.
        """
        from crm import analytics
        from crm.analytics.own import report_of
        from crm.analytics.reports import report_for
        from crm.analytics.shapes import Choices, named

        said = period if isinstance(period, str) and named(period) else ""
        days = None if period is None or said else period_of(period)
        choices = Choices(compare, by, said, measure)
        asked = {"where": where, "as_of": self._moment(as_of), "period": days, "choices": choices or None, **options}
        asked = {key: value for key, value in asked.items() if value is not None}
        if isinstance(name, Shown):
            name = name.spec or name._result.report.name
        spec = dict(name) if isinstance(name, Mapping) else None
        dark = self.dark if dark is None else dark
        if spec is not None:
            self._fit(made := report_of(self.door, spec), choices)
            return Report(analytics.run(self.door, made, **asked), self.actor, dark, spec, self.door)
        try:
            own = report_for(self.door, str(name))
        except Missing:
            raise unknown("report", str(name), self.reports) from None
        self._fit(own, choices)
        return Report(analytics.run(self.door, str(name), **asked), self.actor, dark, None, self.door)

    def _fit(self, report: Any, choices: Any) -> None:
        """Refuses what a report cannot be asked for, with what it can."""
        from crm.analytics.shapes import axes, comparisons, dated

        timed = dated(self.door, report) is not None
        fits = {
            "comparison": (choices.compare, ["none", *comparisons(report, bool(choices.period) and timed)]),
            "group": (choices.by, [one.key for one in axes(self.door, report)]),
            "measure": (choices.measure, list(report.measures)),
        }
        for what, (said, there) in fits.items():
            if said and said not in there:
                raise unknown(what, said, there)
        if choices.period and not timed:
            raise Refused("This report has no date by which a period could be chosen.")

    def chart(
        self, entity: str, by: Any = None, measures: Any = None, *, chart: Any = None, as_of: Any = None, dark: bool | None = None, **spec: Any
    ) -> Report:
        """A report made on the spot, checked like one in YAML: `c.chart("opportunity", by="stage", measures={"sum": "sum(amount)"})`.

        `measures` may be one text; `chart` is the name of a chart (`"line"`) or what the YAML says under `chart:`. The further keys are those
        of a report's YAML (`where`, `sort`, `limit`, `label` …). Keep it on a dashboard with `c.card("My chart", …)`.
        """
        if entity not in self.schema.entities:
            raise unknown("entity", entity, self.schema.entities)
        if isinstance(measures, str):
            measures = {re.sub(r"\W+", "_", measures).strip("_").lower() or "measure": measures}
        made = {"entity": entity, "by": by, "measures": measures or {"count": "count"}, "chart": chart, **spec}
        return self.report({key: value for key, value in made.items() if value is not None}, as_of=as_of, dark=dark)

    def forecast(self, name: str | None = None, *, as_of: Any = None, where: str | None = None, by: str | None = None) -> Shown:
        """What is expected, a row a month: committed, best case, pipeline, weighted, simulated P10/P50/P90, goal, adjusted, actual."""
        from crm.analytics import forecast as engine

        return Shown(engine.forecast(self.door, name, as_of=self._moment(as_of), where=where, by=by), self.actor, self.dark)

    def simulate(
        self, name: str | None = None, *, levers: Any = None, runs: int = 10_000, seed: int = 0, as_of: Any = None, **moved: float
    ) -> Shown:
        """Futures drawn from what the history teaches: `.totals` (runs × months), `.frame`, `.chance(goal)`.

        What if: `c.simulate(win_rate=1.1, reps=2)`, or `levers={"win_rate": 1.1}`; 1.0 is as things are.
        """
        from crm.analytics import forecast as engine

        given = {**(levers if isinstance(levers, Mapping) else {}), **moved}
        known = [field.name for field in fields(engine.Levers)]
        for lever in given:
            if lever not in known:
                raise unknown("lever", lever, known)
        chosen = replace(levers, **moved) if isinstance(levers, engine.Levers) else engine.Levers(**given)
        return Shown(engine.simulate(self.door, name, levers=chosen, runs=runs, seed=seed, as_of=self._moment(as_of)), self.actor, self.dark)

    def backtest(self, name: str | None = None, *, back: int = 12) -> Shown:
        """How good the forecast was, replayed at past months: `.frame`, `.coverage`, `.bias`, `.error`, `.baselines`, `.calibration`."""
        from crm.analytics import forecast as engine

        return Shown(engine.backtest(self.door, name, back=back), self.actor, self.dark)

    def card(self, title: str, report: Any, *, dashboard: str = "", where: str | None = None, width: int | None = None) -> int:
        """Puts a report on a dashboard of the app for this user, or on their home page; gives the step, which `c.door.undo(step)` takes back.

        `report` is the name of a report, what `c.report(…)` or `c.chart(…)` gave, or a definition with the keys of a report's YAML.
        """
        from crm.analytics.own import keep_card

        if isinstance(report, Shown):
            where = where or report._result.where
            report = report.spec or report._result.report.name
        return keep_card(self.door, title, report, dashboard=dashboard, where=where, width=width)

    def cards(self) -> list[Any]:
        """The cards this user keeps: `.id`, `.name` (run it by `c.report(name)`), `.title`, `.dashboard`."""
        from crm.analytics.own import cards

        return cards(self.door)

    def _moment(self, when: Any) -> datetime | None:
        return None if when is None else moment_of(when, self.t.tz)

    def process(self, pipeline: str) -> Any:
        """The process map of a pipeline as this user may read it: a drawing in a notebook, `.svg()` the text of a file."""
        from crm.views.processmap import ProcessMap

        entity = self.schema.pipelines[pipeline].entity if pipeline in self.schema.pipelines else None
        return ProcessMap(self.schema, pipeline, self.t, self.door.readable(entity) if entity else None)

    def view(self, name: str, *args: Any, **more: Any) -> Any:
        """A page of the app, alive in the notebook, with its dialogs and Undo; links lead on inside the cell.

        `c.view("board", "b2b")`, `c.view("list", "account", v="mine")`, `c.view("record", "account", 12)`, `c.view("form", "account")`,
        `c.view("report", "win_rate")`, `c.view("dashboard", "manager")`, `c.view("calendar", "activity")`, `c.view("home")`.
        """
        import panel as pn

        from crm.views.base import PAGES
        from crm.views.notebook import view

        if name not in PAGES:
            raise unknown("view", name, [one for one in PAGES if one != "trouble"])
        if not pn.extension._loaded:
            pn.extension()
        given = {**dict(zip(POSITIONS.get(name, ("entity",)), args, strict=False)), **more}
        schema = self.schema
        choices = {"entity": schema.entities, "pipeline": schema.pipelines, "report": self.reports, "dashboard": schema.dashboards}
        for key, value in given.items():
            kind = name if key == "name" else key
            if kind in choices and value not in choices[kind] and not str(value).startswith("card-"):
                raise unknown(kind, str(value), choices[kind])
        return view(self.company, self.actor, name, **{key: str(value) for key, value in given.items() if value is not None})

    def notebook(self, kind: str, name: str = "", **params: Any) -> bytes:
        """The notebook that "Open in notebook" gives for a card; see `crm.analytics.notebook`."""
        from crm.analytics.notebook import notebook_of

        return notebook_of(self.door, kind, name, **params)


#: What the words after the name of a view are.
POSITIONS = {"board": ("pipeline",), "process": ("pipeline",), "dashboard": ("name",), "report": ("name",), "forecast": ("name",),
             "whatif": ("name",), "record": ("entity", "id"), "form": ("entity", "id")}  # fmt: skip


class Shown:
    """Figures in a notebook: title, what they say, and the chart or the table. Everything of the result (`.frame`, `.says` …) is theirs too."""

    def __init__(self, result: Any, actor: Any, dark: bool, spec: dict[str, Any] | None = None) -> None:
        self._result, self._actor, self._dark, self.spec = result, actor, dark, spec

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._result, name)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(name for name in dir(self._result) if not name.startswith("_"))]

    def __repr__(self) -> str:
        return "\n".join([f"<{self._head()}>", *([said] if (said := self._said()) else []), str(self._result.frame)])

    @property
    def chart(self) -> Any:
        """The drawing (HoloViews), of the result's own frame."""
        return self.draw()

    def draw(self, **options: Any) -> Any:
        """The drawing with options: `height`, `dark`, `backend="matplotlib"`."""
        return self._result.chart(**{"dark": self._dark, **options})

    def _head(self) -> str:
        title = getattr(self._result, "title", "") or type(self._result).__name__
        as_of = getattr(self._result, "as_of", None)
        return f"{title}, {self._actor.name}, {as_of:%Y-%m-%d %H:%M}" if as_of is not None else f"{title}, {self._actor.name}"

    def _said(self) -> str:
        said = getattr(self._result, "says", "")
        return str(said() if callable(said) else said)

    def _table(self) -> str:
        return str(self._result.frame.to_html(border=0, index=False, na_rep="–", float_format=lambda one: f"{one:,.2f}", max_rows=60))

    def _drawn(self) -> Any:
        return self.draw() if hasattr(self._result, "chart") else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Head and chart as the notebook shows them, the figures as plain text beside it."""
        from crm.charts.base import GROUND, INK

        ground = {"background": GROUND[self._dark], "color": INK[self._dark], "padding": "8px"}  # the colours of charts are made for it
        head = f'<div style="font:13px/1.5 sans-serif"><b>{escape(self._head())}</b><br>{escape(self._said())}</div>'
        drawn = self._drawn()
        if drawn is None:
            return {"text/html": head + self._table(), "text/plain": repr(self)}
        import panel as pn
        from panel.theme import Native

        pane = pn.pane.HoloViews(drawn, backend="bokeh", sizing_mode="stretch_width", theme=None, linked_axes=False)
        found = pn.Column(pn.pane.HTML(head, margin=(0, 0, 6, 0)), pane, sizing_mode="stretch_width", styles=ground, design=Native)
        made = found._repr_mimebundle_(include, exclude) if pn.extension._loaded else None
        if made is None:  # no notebook that could draw it
            return {"text/html": head + self._table(), "text/plain": repr(self)}
        return {**made[0], "text/plain": repr(self)}, made[1]


class Report(Shown):
    """A computed report (`crm.analytics.Result`) whose `.chart` is the drawing itself; `.draw(height=…)` draws it otherwise."""

    def __init__(self, result: Any, actor: Any, dark: bool, spec: dict[str, Any] | None, door: Any) -> None:
        super().__init__(result, actor, dark, spec)
        self._door = door

    @property
    def stamp(self) -> str:
        """The stamp these figures can be had again by (`crm report --again STAMP`): asking for it keeps them."""
        from crm.analytics.stamps import keep

        return keep(self._door, self._result, "python", self.spec)

    def behind(self, row: int, column: str = "") -> pd.DataFrame:
        """The records behind a row, or behind one figure of it: those the user sees, as they were `as_of`; columns as their list has them."""
        result = self._result
        entity, found = result.drills, result.behind_of(row)
        columns = [path for path in self._door.schema.entities[entity].list.columns if path in self._door.readable(entity)] or None
        if found is None:
            if not result.drillable(row):
                raise Missing("No records stand behind this row.")
            return self._door.frame(entity, columns, where=result.drill(row, column) or None, as_of=result.asked)
        frame = self._door.frame(entity, columns, as_of=result.asked)
        return frame[frame.index.isin(found.of(column)[1])]

    def _table(self) -> str:
        heads = "".join(f"<th>{escape(one.label)}</th>" for one in self._result.columns)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._result.texts()[:60])
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"

    def _drawn(self) -> Any:
        return self.draw() if self._result.exact and self._result.report.chart.name not in ("number", "table") else None


def unknown(what: str, name: str, choices: Iterable[str]) -> Missing:
    """What is said of a name that is not there: those that are, and the one that was probably meant."""
    from crm.schema.faults import known, meant

    names = list(choices)
    said = meant(name, names)
    return Missing(f"There is no {what} called '{name}'.{said} There are: {known(names, 12 if said else 40)}.")


def period_of(said: Any) -> tuple[date, date]:
    """The first day and the day after the last of `"2026"`, `"2026-Q2"`, `"2026-06"`, or of a pair of dates."""
    if not isinstance(said, str):
        first, after = (date.fromisoformat(one) if isinstance(one, str) else one for one in said)
        return first, after
    found = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d\d)))?", said.strip())
    if found is None or not (1 <= int(found[3] or 1) <= 12):
        raise Refused("A period is a year (2026), a quarter (2026-Q2), a month (2026-06) or a pair of dates.")
    first_month, months = (int(found[2]) * 3 - 2, 3) if found[2] else (int(found[3]), 1) if found[3] else (1, 12)
    year, last = int(found[1]), first_month + months
    return date(year, first_month, 1), date(year + (last > 12), last - 12 if last > 12 else last, 1)


def moment_of(when: Any, tz: Any) -> datetime:
    """A moment from ISO 8601 text, a date (its last moment, so that the day is included) or a datetime."""
    if isinstance(when, str):
        text = when.strip().replace("Z", "+00:00")
        when = date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=tz)
    return datetime.combine(when, time(23, 59, 59, 999000), tz)


class Records:
    """The records of one entity, through the one door. Values are given as typed, or as Python values."""

    def __init__(self, client: Client, entity: str) -> None:
        self._client, self._door, self._entity = client, client.door, entity

    def __repr__(self) -> str:
        return f"<{self._client.schema.entities[self._entity].plural}: {self.count()}>"

    def _repr_html_(self) -> str:
        """The first few of them."""
        entity = self._client.schema.entities[self._entity]
        columns = [path for path in entity.list.columns if path in self._door.readable(self._entity)][:8] or None
        frame = self.frame(columns, limit=5, titles=True)
        return f"<p>{escape(entity.plural)}: {self.count():,}</p>{frame.to_html(border=0, na_rep='–')}"

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Record]:
        offset = 0
        while batch := self.list(limit=500, offset=offset):
            yield from batch
            offset += len(batch)

    def __getitem__(self, number: int) -> Record:
        return self.get(number)

    def get(self, number: int, as_of: Any = None) -> Record:
        return self._door.get(self._entity, number, as_of=as_of)

    def list(self, where: Any = None, order: Iterable[str] | str = (), limit: int = 50, offset: int = 0, **more: Any) -> list[Record]:
        return self._door.list(
            self._entity, where, order=order if isinstance(order, str) else list(order), limit=limit, offset=offset, **more
        )

    def count(self, where: Any = None, **more: Any) -> int:
        return self._door.count(self._entity, where, **more)

    def frame(
        self,
        fields: Iterable[str] | None = None,
        where: Any = None,
        as_of: Any = None,
        *,
        order: Iterable[str] | str = (),
        limit: int | None = None,
        find: str = "",
        view: str = "",
        filters: str = "",
        pipeline: str = "",
        titles: bool = False,
    ) -> pd.DataFrame:
        """A pandas frame, index `id`, one row a record, one column a field: all readable ones, or those named, paths (`account.name`) too.

        Money, numbers, percentages (0.15 is 15 %) and durations are float64, money in units of its currency; integers Int64; links Int64
        (the id there) or, with `titles=True`, categories of titles; choices and stages categories in the order of the configuration; yes and
        no boolean; dates datetime64; moments datetime64 in the company's time zone; texts string; what is a list, an address or a file object.
        A missing value is NA or NaT, of floats NaN.

        `where` is a condition of the configuration's language; `find` searches; `view` is a saved view of the list (`"mine"`,
        `"own:big-and-late"`) and `filters` what a list's address says (`"stage:is:offer"`), as in the app.
        """
        entity, door = self._entity, self._door
        keys = list(fields) if fields is not None else None
        for key in keys or ():
            self._check(key)
        conditions: list[Any] = (
            [where] if isinstance(where, str) or where is not None and not isinstance(where, (list, tuple)) else list(where or ())
        )
        if view or filters or pipeline:
            listed = self._client._listing(entity, v=view, f=filters, pipeline=pipeline)
            conditions += listed.where
            find = find or listed.find
        frame = door.frame(
            entity,
            keys,
            where=conditions or None,
            as_of=as_of,
            order=order if isinstance(order, str) else list(order),
            limit=limit,
            find=find,
        )
        return dressed(door, entity, frame, titles)

    def _check(self, path: str) -> None:
        """Says which field was meant, where one is misspelt."""
        here: str | None = self._entity
        for piece in path.split("."):
            entity = self._client.schema.entities.get(here or "")
            if entity is None:
                return
            readable = self._door.readable(entity.name)
            if piece not in readable and piece != "id":
                raise unknown("field", piece, [key for key in entity.fields if key in readable])
            here = getattr(entity.fields.get(piece), "to", None)

    def segment(
        self, name: str, where: str = "", *, filters: str = "", find: str = "", order: str = "", share: str = "", members: bool = False
    ) -> int:
        """Keeps a filter for the app: a tab of this list for this user; with `share="team"` or `share="all"` for others too, each under their
        own rights. With `members=True` it becomes a living marketing list, which campaigns take. Gives the step; `c.door.undo(step)` takes it back.
        """
        from crm.views.listing import keep_view

        if not (where or filters or find):
            raise Refused("Say which records: a segment needs a condition.")
        count = self.frame(["id"], where or None, filters=filters, find=find, limit=1)  # a faulty condition is said now, not in the app
        del count
        if members:
            return self._living(name, where, filters or find)
        return keep_view(self._door, self._entity, name, {"v": "all", "f": filters, "w": where, "q": find, "sort": order}, share)[1]

    def _living(self, name: str, where: str, more: str) -> int:
        roles = self._client.schema.campaign_roles
        lists = roles.lists if roles is not None else {}
        if not {"entity", "name", "for", "where"} <= set(lists):
            raise Refused("There are no marketing lists in this configuration.")
        if more or not where:
            raise Refused("A marketing list takes one condition: give it as `where`.")
        values: dict[str, Any] = {lists["name"]: name, lists["for"]: self._entity, lists["where"]: where}
        if "living" in lists:
            values[lists["living"]] = True
        with self._door.step(f"create {lists['entity']}") as step:
            self._door.create(lists["entity"], values)
        return int(step.id)

    def aggregate(self, by: Any = (), measures: Any = None, where: Any = None, **more: Any) -> Any:
        return self._door.aggregate(self._entity, by, measures, where=where, **more)

    def create(self, values: Mapping[str, Any] | None = None, **fields: Any) -> Record:
        return self._door.create(self._entity, {**(values or {}), **fields})

    def change(self, number: int, values: Mapping[str, Any] | None = None, **fields: Any) -> Record:
        return self._door.change(self._entity, number, {**(values or {}), **fields})

    def move(self, number: int, stage: str, **values: Any) -> Record:
        return self._door.move(self._entity, number, stage, values or None)

    def delete(self, number: int) -> None:
        self._door.delete(self._entity, number)

    def history(self, number: int) -> Any:
        return self._door.history(self._entity, number)

    def score_reasons(self, number: int) -> Any:
        """Why a record has its score: `.score`, `.rating`, `.by` (rules or model), `.say` and `.lines` whose points add up to it."""
        return self._door.score_reasons(self._entity, number)


def dressed(door: Any, entity: str, frame: pd.DataFrame, titles: bool) -> pd.DataFrame:
    """A frame of the door with categories, strings and the company's time zone."""
    import pandas as pd

    for path in frame.columns:
        if path == "id":
            continue
        field, column = door.schema_field(entity, path), frame[path]
        if field.kind == "datetime":
            frame[path] = column.dt.tz_convert(door.company.schema.words().tz)
        elif field.kind == "link" and titles and field.to:
            known = door.titles(field.to, [int(one) for one in column.dropna().unique()])
            frame[path] = column.map(known).astype("category")
        elif field.kind == "choice":
            there = list(dict.fromkeys(column.dropna()))
            order = [key for key in ordered(door.schema, entity, field) if key in there]
            frame[path] = pd.Categorical(
                column, categories=[*order, *(key for key in there if key not in order)], ordered=len(order) == len(there)
            )
        elif field.kind == "text":
            frame[path] = column.astype("string")
    return frame


def ordered(schema: Any, entity: str, field: Any) -> list[str]:
    """The values of a choice in the order of the configuration: of a stage, of all its pipelines."""
    if field.name == "stage":
        return list(dict.fromkeys(key for one in schema.pipelines.values() for key in one.stages))
    return list(getattr(field, "options", {}) or {})


def _prepare_notebook() -> None:
    """In Jupyter: parts and charts carry what they need with them, so that nothing is fetched from outside."""
    try:
        from IPython import get_ipython  # type: ignore[attr-defined]
    except ImportError:
        return
    if get_ipython() is None or get_ipython().__class__.__name__ != "ZMQInteractiveShell":
        return
    os.environ["PANEL_INLINE"] = "true"
    import holoviews as hv
    import panel as pn

    pn.extension()
    hv.extension("bokeh", inline=True, logo=False)
