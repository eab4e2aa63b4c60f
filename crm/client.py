"""What `crm.open()` gives: the data, reports and views of a company in Python and in Jupyter, one line each.

    import crm
    c = crm.open()                                   # the folder's configuration and store, as the engine itself
    c = crm.open("config/sales", user="anna")        # as a user, with her rights
    c.report("win_rate").frame                       # pandas;  .chart  HoloViews
    c.opportunity.frame(where="stage.open", as_of="2026-01-01")
    c.opportunity.create(name="Pilot", account=3)
    c.view("board", "b2b")                           # the app's own screens

Also says where configuration and data are when nobody says it (`config_folder`, `data_url`), for the command line and the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
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


def open(config: str | Path | None = None, data: str | Path | None = None, user: str | int | None = None) -> Client:
    """Open a configuration and its data. `user` is a login (or id) whose rights hold; None is the engine itself, which sees all."""
    _prepare_notebook()
    return Client(open_company(config, data), user)


class Client:
    """One company in Python: an attribute per entity, `.report()`, `.view()`, `.search()`; `.door` for everything else."""

    def __init__(self, company: Any, user: str | int | None = None) -> None:
        from crm.records import SYSTEM

        self.company = company
        self.actor = SYSTEM if user is None else company.actor(user)
        self.door: Door = company.door(self.actor)
        self._app: Any = None

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
            raise AttributeError(f"There is no entity called {name!r}; there are: {', '.join(self.schema.entities)}.")
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
        """The names of the configuration's reports."""
        return list(self.schema.reports)

    def report(self, name: str, *, where: str | None = None, as_of: Any = None, **options: Any) -> Report:
        """A report: `.frame` (pandas), `.chart` (HoloViews), `.rows`; `where` narrows it, `as_of` (a date, a moment) shows the past."""
        from crm import analytics

        moment = moment_of(as_of, self.t.tz) if as_of is not None else None
        asked = {key: value for key, value in {"where": where, "as_of": moment, **options}.items() if value is not None}
        return Report(analytics.run(self.door, name, **asked))

    def process(self, pipeline: str) -> Any:
        """The process map of a pipeline as this user may read it: a drawing in a notebook, `.svg()` the text of a file."""
        from crm.views.processmap import ProcessMap

        entity = self.schema.pipelines[pipeline].entity if pipeline in self.schema.pipelines else None
        return ProcessMap(self.schema, pipeline, self.t, self.door.readable(entity) if entity else None)

    def view(self, name: str, *args: Any, **more: Any) -> Any:
        """A screen of the app, alive in the notebook: `view("board", "b2b")`, `view("list", "account")`, …"""
        import panel as pn

        from crm.views.app import App
        from crm.views.base import PAGES

        if name not in PAGES:
            raise Missing("There is no such page.")
        if not pn.extension._loaded:
            pn.extension()
        keys = {"board": ("pipeline",), "process": ("pipeline",), "dashboard": ("name",), "report": ("name",), "record": ("entity", "id"), "form": ("entity", "id")}
        more = {**dict(zip(keys.get(name, ("entity",)), args, strict=False)), **more}
        if self._app is None:
            self._app = App(self.company, self.actor)
        return PAGES[name](self._app, **{key: str(value) for key, value in more.items()}).body


class Report:
    """A computed report (`crm.analytics.Result`) whose `.chart` is the drawing itself; `.draw(height=…)` draws it otherwise."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def __repr__(self) -> str:
        return f"<{self._result.title}, as of {self._result.as_of:%Y-%m-%d %H:%M}>\n{self._result.frame}"

    @property
    def chart(self) -> Any:
        return self._result.chart()

    def draw(self, **options: Any) -> Any:
        return self._result.chart(**options)


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

    def frame(self, fields: Iterable[str] | None = None, where: Any = None, as_of: Any = None) -> pd.DataFrame:
        """A pandas frame, one row a record, one column a field (all readable ones when none are named)."""
        return self._door.frame(self._entity, list(fields) if fields is not None else None, where=where, as_of=as_of)

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
