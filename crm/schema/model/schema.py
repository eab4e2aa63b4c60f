"""The whole configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as fresh
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.schema.model.assignments import Assignment
from crm.schema.model.automations import Automation
from crm.schema.model.campaigns import CampaignType
from crm.schema.model.classes import ClassRule
from crm.schema.model.company import (
    ActivityRoles,
    AdjustmentRoles,
    ApprovalRoles,
    CampaignRoles,
    GoalRoles,
    Group,
    MailRoles,
    ScenarioRoles,
    Subject,
    TeamRoles,
    UserRoles,
)
from crm.schema.model.conversions import Conversion
from crm.schema.model.dashboards import Dashboard
from crm.schema.model.entities import Entity
from crm.schema.model.forecasts import Forecast
from crm.schema.model.imports import ImportMap
from crm.schema.model.kpis import Kpi
from crm.schema.model.mails import MailTemplate
from crm.schema.model.packs import Pack
from crm.schema.model.pipelines import Pipeline, Stage
from crm.schema.model.reports import Report
from crm.schema.model.roles import Role
from crm.schema.model.scores import Score
from crm.schema.model.services import Service


@dataclass
class Schema:
    """A whole configuration, checked. `hash` is the same exactly when the effective configuration is."""

    name: str
    title: str
    folder: Path
    hash: str = ""
    text: str = fresh(default="", repr=False)  # what the hash is of: the merged files as JSON
    layers: list[Path] = fresh(default_factory=list)  # the folders it is made of, the most basic first
    languages: list[str] = fresh(default_factory=lambda: ["en"])
    currency: str = "EUR"
    timezone: str = "UTC"
    country: str | None = None
    first_day: int = 0  # 0 = Monday
    fiscal_start: int = 1  # month
    rates: dict[str, list[tuple[date, Decimal]]] = fresh(default_factory=dict)  # currency → [(from, worth in the base currency)]
    entities: dict[str, Entity] = fresh(default_factory=dict)
    pipelines: dict[str, Pipeline] = fresh(default_factory=dict)
    roles: dict[str, Role] = fresh(default_factory=dict)
    campaigns: dict[str, CampaignType] = fresh(default_factory=dict)
    classes: dict[str, ClassRule] = fresh(default_factory=dict)
    services: dict[str, Service] = fresh(default_factory=dict)
    reports: dict[str, Report] = fresh(default_factory=dict)
    kpis: dict[str, Kpi] = fresh(default_factory=dict)
    forecasts: dict[str, Forecast] = fresh(default_factory=dict)
    dashboards: dict[str, Dashboard] = fresh(default_factory=dict)
    automations: dict[str, Automation] = fresh(default_factory=dict)
    imports: dict[str, ImportMap] = fresh(default_factory=dict)
    mails: dict[str, MailTemplate] = fresh(default_factory=dict)
    packs: dict[str, Pack] = fresh(default_factory=dict)
    mail: MailRoles = fresh(default_factory=MailRoles)
    scores: dict[str, Score] = fresh(default_factory=dict)
    assignments: dict[str, Assignment] = fresh(default_factory=dict)
    conversions: dict[str, Conversion] = fresh(default_factory=dict)
    navigation: list[Group] = fresh(default_factory=list)
    subjects: dict[str, Subject] = fresh(default_factory=dict)
    modules: dict[str, bool] = fresh(default_factory=dict)  # module → switched on
    users: UserRoles | None = None
    teams: TeamRoles | None = None
    activities: ActivityRoles | None = None
    campaign_roles: CampaignRoles | None = None
    approvals: ApprovalRoles | None = None
    goals: GoalRoles | None = None
    forecast_adjustments: AdjustmentRoles | None = None
    scenarios: ScenarioRoles | None = None
    labels: dict[str, dict[str, Any]] = fresh(default_factory=dict)  # language → {dotted path: text}
    catalogues: dict[str, dict[str, Any]] = fresh(default_factory=dict)  # language → {English text of the engine: text or plurals}
    demo: Any = None  # the demo section, as plain data; the demo has its own checker
    warnings: list[Any] = fresh(default_factory=list)  # faults that do not stop it: missing labels
    texts: dict[str, str] = fresh(default_factory=dict)  # dotted path → English text of everything that can be translated
    files: list[Path] = fresh(default_factory=list)  # every file it was read from

    @property
    def language(self) -> str:
        """The language of those who have not chosen one."""
        return self.languages[0] if self.languages else "en"

    def pipeline_of(self, entity: str, record: Mapping[str, Any] | None = None) -> Pipeline | None:
        """The pipeline a record is in: by its pipeline field, else the entity's only (or first) one; None without any."""
        one = self.entities[entity]
        if record is not None and one.pipeline_field:
            chosen = record.get(one.pipeline_field)
            if chosen in one.pipelines:
                return self.pipelines[chosen]
        return self.pipelines[one.pipelines[0]] if one.pipelines else None

    def stage_of(self, entity: str, record: Mapping[str, Any]) -> Stage | None:
        """The stage a record is in, None where it has none or an unknown one."""
        pipeline = self.pipeline_of(entity, record)
        key = self.entities[entity].stage_field
        return pipeline.stages.get(record.get(key) or "") if pipeline and key else None

    def words(self, language: str | None = None) -> Any:
        """The translator of one language (`crm.words.Words`): engine texts, labels, dates, numbers, money."""
        from crm.words import Words

        chosen = language if language in self.languages else self.language
        return Words(chosen, self.catalogues.get(chosen, {}), self.timezone, self.currency, self.labels.get(chosen, {}))

    def links_to(self, entity: str) -> Iterator[tuple[Entity, Any]]:
        """Every (entity, field) that links to `entity`."""
        for one in self.entities.values():
            for field in one.fields.values():
                if field.to == entity and not field.system:
                    yield one, field

    def is_on(self, module: str | None) -> bool:
        """Whether a module is switched on; what belongs to no module always is."""
        return module is None or self.modules.get(module, True)


Hook = Callable[[Schema, Any], list[Any]]
