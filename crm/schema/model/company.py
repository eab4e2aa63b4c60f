"""What crm.yaml says: the navigation, and which entity holds users, teams, activities, goals … by role."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Keys, Labelled


@dataclass
class Link:
    """One entry of the navigation: `view` list, board, dashboard, report, calendar, home, admin …; `name` of what it shows."""

    view: str
    name: str | None = None
    label: str = ""
    filter: str | None = None
    icon: str = ""


@dataclass
class Group(Labelled):
    """A group of the navigation."""

    key: str
    label: str
    links: list[Link] = fresh(default_factory=list)
    icon: str = ""
    path: str = ""


@dataclass
class Subject(Labelled):
    """A shelf of the catalogue of reports: the names of what stands on it, in order."""

    key: str
    label: str
    icon: str = "insights"
    reports: list[str] = fresh(default_factory=list)
    path: str = ""


@dataclass
class UserRoles:
    """Which entity holds the users, and which of its fields is what."""

    entity: str
    name: str = "name"
    login: str = "login"
    email: str | None = None
    role: str = "role"
    team: str | None = None
    language: str | None = None
    active: str | None = None


@dataclass
class TeamRoles:
    """Which entity holds the teams; `parent` links a team to the one above, `head` to the user who leads it."""

    entity: str
    name: str = "name"
    parent: str | None = None
    head: str | None = None


@dataclass
class ActivityRoles:
    """Which entity holds what users do with customers, and which of its fields is what; `kinds` = {kind: icon}."""

    entity: str
    subject: str
    due: str
    done: str
    kind: str | None = None
    text: str | None = None
    result: str | None = None
    owner: str | None = None
    duration: str | None = None
    priority: str | None = None
    kinds: dict[str, str] = fresh(default_factory=dict)
    repeat: str | None = None  # how often it is done again, its options by `rhythms`
    repeat_every: str | None = None  # every how many of them
    repeat_until: str | None = None
    rhythms: dict[str, str] = fresh(default_factory=dict)  # option → daily, weekly, monthly, yearly


@dataclass
class CampaignRoles:
    """Which entities hold campaigns, marketing lists and responses; the rest are field keys by role."""

    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)  # name type start end budget cost list owner status
    members: dict[str, str] = fresh(default_factory=dict)  # entity, campaign, response, on, + a link field per target entity
    lists: dict[str, str] = fresh(default_factory=dict)  # entity, name, for, living, where, members


@dataclass
class GoalRoles:
    """Which entity holds goals, and which of its fields is what: `target` is to be reached from the day `start` to the day `end`.

    `where` says which of them are about what the pipeline brings in; a goal without an owner is its team's. `measure` is the choice that
    says what is to be reached, `of` are links to what else a goal may be for: a territory, a product.
    """

    entity: str
    target: str
    start: str
    end: str
    owner: str | None = None
    team: str | None = None
    where: Any = None
    measure: str | None = None
    of: Keys = fresh(default_factory=Keys)


@dataclass
class AdjustmentRoles:
    """Which entity holds what managers add to a forecast, and which of its fields is what: `amount` more or less in the `month` a date
    lies in, of the figures of `who` (empty: of all), on the figure that `category` says (`categories`: {option: one of CATEGORIES};
    empty: the total)."""

    entity: str
    month: str
    amount: str
    who: str | None = None
    category: str | None = None
    forecast: str | None = None  # the forecast's name, where there are several
    note: str | None = None
    categories: dict[str, str] = fresh(default_factory=dict)


@dataclass
class ScenarioRoles:
    """Which entity holds the scenarios of what-if, and which of its fields is what; `levers` = {one of LEVERS: field}."""

    entity: str
    name: str
    levers: dict[str, str] = fresh(default_factory=dict)
    forecast: str | None = None
    note: str | None = None
    owner: str | None = None


@dataclass
class ApprovalRoles:
    """Which entity holds requests for approval, and which of its fields is what; `states` = {pending, granted, refused, void: its option}.

    The records asked about are linked by whatever link fields the entity has.
    """

    entity: str
    subject: str
    status: str
    rule: str
    terms: str
    asked_by: str
    decided_by: str
    reason: str
    why: str | None = None
    by: str | None = None
    asked_on: str | None = None
    approver: str | None = None
    decided_on: str | None = None
    states: dict[str, str] = fresh(default_factory=dict)


@dataclass
class MailRoles:
    """`mail:` of crm.yaml: who mails come from and the address under which people reach the CRM."""

    sender: str = ""
    address: str = ""
