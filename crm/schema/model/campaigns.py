"""A campaign type: what is planned, what is done with everyone on the list, how people answer."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal

from crm.schema.model.base import Labelled, Thing


@dataclass
class Offset:
    """A moment beside another: `days` after the step `after` (`start` = the campaign's start; may be negative)."""

    after: str = "start"
    days: int = 0


@dataclass
class CampaignStep(Labelled):
    """A planning task or an activity of a campaign type."""

    key: str
    label: str
    when: Offset = fresh(default_factory=Offset)
    kind: str | None = None  # value of the activity entity's kind field
    text: str = ""
    role: str | None = None  # who does it
    priority: str | None = None
    budget: Decimal | None = None
    path: str = ""


@dataclass
class CampaignType(Thing):
    """A kind of campaign: `tasks` to plan it (once), `activities` with everyone on the list, `responses` that are counted."""

    tasks: dict[str, CampaignStep] = fresh(default_factory=dict)
    activities: dict[str, CampaignStep] = fresh(default_factory=dict)
    responses: dict[str, Response] = fresh(default_factory=dict)
    budget: Decimal | None = None
    icon: str = "campaign"


@dataclass
class Response(Labelled):
    """A way to answer a campaign; `good` ones count as interest."""

    key: str
    label: str
    good: bool = False
    path: str = ""
