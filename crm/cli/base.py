"""What the commands share: the common options, the company they are about, how things are said and refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from crm.errors import Refused

if TYPE_CHECKING:
    from crm.records import Door

app = typer.Typer(
    name="crm",
    help="A CRM described in YAML. Start with: crm demo, then crm serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Ended(Exception):
    """Ends a command with an exit code after it has said everything."""

    def __init__(self, code: int) -> None:
        self.code = code


class Run:
    """What the common options say, and the company opened when first asked for."""

    config: str | None = None
    data: str | None = None
    json: bool = False
    user: str | None = None
    _company: Any = None

    @property
    def folder(self) -> Path:
        from crm.client import config_folder

        return config_folder(self.config)

    @property
    def url(self) -> str:
        from crm.client import data_url

        return data_url(self.data)

    def company(self, create: bool = False) -> Any:
        """The company; without `create` a store that does not exist is refused rather than made."""
        if self._company is None:
            from crm.client import open_company

            self._company = open_company(self.config, self.data, create=create)
        return self._company

    def door(self, user: str | None = None) -> Door:
        """The door of the user named by `--as`, else the engine's own."""
        from crm.records import SYSTEM

        company = self.company()
        name = user or self.user
        return company.door(somebody(company, name, active=True) if name else SYSTEM)

    def store(self) -> Any:
        from crm.stores import open_store

        if "://" not in self.url and not Path(self.url).exists():
            raise Refused("There is no data at {name} yet. `crm demo` fills it with an example, `crm import` with your own.", name=self.url)
        return open_store(self.url)

    def begin(self) -> None:
        """A new command line: nothing said yet, nothing opened."""
        self.config = self.data = self.user = self._company = None
        self.json = False

    def close(self) -> None:
        if self._company is not None:
            self._company.store.close()
            self._company = None


run = Run()


def plain(value: Any) -> Any:
    """A value as JSON: money and other decimals as decimal text, dates in ISO 8601."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(one) for one in value)
    if isinstance(value, Iterable):
        return [plain(one) for one in value]
    return str(value)


def out(document: Any, human: Callable[[], None] | str | None = None) -> None:
    """The answer: as JSON with `--json`, else as `human` says it (nothing for None)."""
    if run.json:
        sys.stdout.write(as_json(document))
    elif callable(human):
        human()
    elif human:
        print(human)


def as_json(document: Any) -> str:
    import json

    return json.dumps(plain(document), ensure_ascii=False, indent=2) + "\n"


def note(text: str) -> None:
    """A word on the way, on stderr."""
    print(text, file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "", right: Iterable[int] = ()) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for number, column in enumerate(columns):
        grid.add_column(column, justify="right" if number in set(right) else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False).print(grid)


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None] | None]:
    """A bar on stderr, where somebody is looking: a function that is told the share done (0 to 1) and what is being done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)

        def tell(done: float, what: str | float = "") -> None:
            share = done / what if isinstance(what, (int, float)) and what else done
            bar.update(task, completed=min(1.0, share), description=what if isinstance(what, str) and what else title)

        yield tell


def fail(text: str, **more: Any) -> NoReturn:
    """End with exit code 1 and a plain line on stderr (and a JSON document with `--json`)."""
    note(text)
    out({"error": text, **more})
    raise Ended(1)


def entity_named(schema: Any, text: str) -> str:
    """The key of an entity named by its key or its label, in any case: `Account`, `accounts`, `price-list`. Ends the command for others."""
    if text in schema.entities:
        return text
    plain_text = text.strip().casefold().replace("-", " ").replace("_", " ")
    for key, one in schema.entities.items():
        if plain_text in {name.casefold() for name in (key.replace("_", " "), one.label, one.plural) if name}:
            return str(key)
    fail(f"There is nothing called {text}.{choice_of(text, schema.entities)}")


def choice_of(text: str, names: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or all there are."""
    from crm.schema.faults import meant

    there = [str(name) for name in names]
    return meant(text, there) or f" There are: {', '.join(there) or 'none'}."


def somebody(company: Any, name: str, active: bool = False) -> Any:
    """The user of a sign-in name or number; ends the command when there is none (or, with `active`, when he may not sign in)."""
    from crm.errors import Missing

    keys = company.schema.users
    try:
        actor = company.people.actor(int(name) if name.isdigit() else name)
    except Missing:
        logins = [str(doc[keys.login]) for doc in company.store.table(keys.entity).all() if doc.get(keys.login) and not doc.get("deleted_on")]
        fail(f"There is no user {name}.{choice_of(name, sorted(logins))}")
    return company.actor(actor.id) if active else actor


def listed_users(company: Any) -> list[dict[str, Any]]:
    """The users: sign-in name, role, team, full name, and whether they may sign in."""
    from crm.errors import Missing
    from crm.records import SYSTEM
    from crm.server.passwords import Passwords

    keys = company.schema.users
    door = company.door(SYSTEM)
    passwords = Passwords(company.store)
    found = []
    for record in door.list(keys.entity, order=[keys.login], limit=100_000):
        try:
            actor = company.people.actor(record.id)
        except Missing:
            continue
        team = door.titles(company.schema.teams.entity, [actor.team]).get(actor.team) if company.schema.teams and actor.team else None
        one = {"name": actor.login, "role": actor.role, "team": team, "full_name": actor.name, "id": record.id}
        found.append({**one, "active": actor.active, "password": passwords.has(record.id)})
    return found


def moment(text: str) -> datetime:
    """A moment as typed: ISO 8601, or a date (its end, so that the day includes itself; also `-30d`, `yesterday` …)."""
    from crm.client import moment_of
    from crm.schema import load

    words = load(run.folder).words()
    text = text.strip()
    return moment_of(text if len(text) > 10 else words.parse_date(text), words.tz)


def check_place(path: Path) -> None:
    """Refuse a file whose folder is not there, before any work is done for it."""
    if not path.resolve().parent.is_dir():
        fail(f"There is no folder {path.parent}.")
