"""People: `user list`, `add`, `disable`, `enable`, `password`; and `why` somebody may see something."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from crm.cli.base import app, choice_of, entity_named, fail, listed_users, out, run, somebody, table

users = typer.Typer(help="Who may sign in.", no_args_is_help=True)
app.add_typer(users, name="user")


@users.command("list")
def user_list() -> None:
    """All users with role and team."""
    people = listed_users(run.company())
    columns = ("name", "full_name", "role", "team")
    rows = [tuple(one[key] for key in columns) + ("" if one["active"] and one["password"] else "may not sign in",) for one in people]
    out({"users": people}, lambda: table(("Sign-in", "Name", "Role", "Team", ""), rows))


@users.command("add")
def user_add(
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE")],
    name: Annotated[str | None, typer.Option("--name", help="Full name.")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="Name or id of the team.")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    password: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin; else one is made up and shown.")
    ] = False,
) -> None:
    """Add a user; prints a made-up password once unless one comes on stdin."""
    company = run.company(create=True)
    keys = company.schema.users
    if role not in company.schema.roles:
        fail(f"There is no role {role}.{choice_of(role, company.schema.roles)}")
    secret, made = new_password(login, password)
    values: dict[str, Any] = {keys.login: login, keys.name: name or login, keys.role: role}
    if keys.active:
        values[keys.active] = True
    if email and keys.email:
        values[keys.email] = email
    if team and keys.team:
        values[keys.team] = team_id(company, team)
    record = run.door().create(keys.entity, values)
    from crm.server.passwords import Passwords

    Passwords(company.store).set(record.id, secret)
    document = {"id": record.id, "name": login, "role": role, **({"password": secret} if made else {})}
    out(document, f"{login} can sign in." + (f" Password: {secret}" if made else ""))


def team_id(company: Any, team: str) -> int:
    """The id of a team given by name or id."""
    from crm.records import SYSTEM

    teams = company.schema.teams
    if teams is None:
        fail("This configuration has no teams.")
    if team.isdigit():
        return int(team)
    known = {record.title: record.id for record in company.door(SYSTEM).list(teams.entity, limit=10_000)}
    found = [number for title, number in known.items() if title.casefold() == team.casefold()]
    if not found:
        fail(f"There is no team {team}. There are: {', '.join(sorted(known)) or 'none'}.")
    return found[0]


def new_password(login: str, from_stdin: bool) -> tuple[str, bool]:
    """A password from stdin (its strength checked), or a made-up one; and whether it was made up."""
    import secrets

    from crm.server.passwords import check_strength

    if not from_stdin:
        return secrets.token_urlsafe(12), True
    secret = sys.stdin.readline().rstrip("\r\n")
    check_strength(secret, login)
    return secret, False


def user_id(company: Any, login: str) -> int:
    return int(somebody(company, login).id)


@users.command("disable")
def user_disable(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """End a user's access at once, everywhere; the records stay."""
    company = run.company()
    keys = company.schema.users
    number = user_id(company, login)
    if keys.active:
        run.door().change(keys.entity, number, {keys.active: False})
    from crm.server.passwords import Passwords
    from crm.server.sessions import Sessions

    if not keys.active:
        Passwords(company.store).forget(number)
    ended = Sessions(company.store, lambda _: False).end_all(number)
    out({"id": number, "name": login, "active": False, "sessions_ended": ended}, f"{login} can no longer sign in.")


@users.command("enable")
def user_enable(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """Let a disabled user sign in again."""
    company = run.company()
    keys = company.schema.users
    number = user_id(company, login)
    if keys.active:
        run.door().change(keys.entity, number, {keys.active: True})
    out({"id": number, "name": login, "active": True}, f"{login} can sign in again.")


@users.command("password")
def user_password(
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    password: Annotated[bool, typer.Option("--password-stdin", help="Read it from stdin; else one is made up and shown.")] = False,
) -> None:
    """Give a user a new password and end the present sign-ins."""
    company = run.company()
    number = user_id(company, login)
    secret, made = new_password(login, password)
    from crm.server.passwords import Passwords
    from crm.server.sessions import Sessions

    Passwords(company.store).set(number, secret)
    Sessions(company.store, lambda _: False).end_all(number)
    out({"id": number, "name": login, **({"password": secret} if made else {})}, f"New password: {secret}" if made else "Changed.")


@app.command()
def why(
    user: Annotated[str, typer.Argument(metavar="USER")],
    entity: Annotated[str, typer.Argument(metavar="ENTITY")],
    number: Annotated[int, typer.Argument(metavar="ID")],
    field: Annotated[str | None, typer.Argument(metavar="[FIELD]")] = None,
) -> None:
    """Whether a user may see a record (or a field of it), and why."""
    company = run.company()
    entity = entity_named(company.schema, entity)
    actor = somebody(company, user)
    if actor.active:
        decision = company.door(actor).why(entity, number, field)
        allowed, because = decision.allowed, list(decision.because)
    else:
        allowed, because = False, [f"{actor.name} is switched off and may not sign in."]
    document = {"user": actor.login, "entity": entity, "id": number, "field": field, "allowed": allowed, "because": because}

    def human() -> None:
        print("yes" if allowed else "no")
        for line in because:
            print(f"  {line}")

    out(document, human)
