"""What a configuration means once it is loaded: plain dataclasses that every layer above reads, a module for each kind of file.

`Schema` holds `Entity`, `Pipeline`, `Role`, `Report` … by name, in the order of the YAML. Nothing here reads files or checks anything
(the modules of the same names one folder up do); nothing here writes. Expressions are already parsed and checked:

* `field.show`, `field.formula`, `field.rollup` are `Expression | None`,
* `field.required` is `True`, `False` or an `Expression`,
* `field.default` is `None`, a typed text (give it to `field.clean`) or an `Expression`.

Labels are English, as in the YAML; `label_in(t)` gives them in the language of `t` (`crm.words.Words`): a label of the
configuration is translated by its dotted path (`entities.account.fields.name.label`).
"""

from crm.schema.model.assignments import Among, Assignment, AssignmentRule
from crm.schema.model.automations import Automation, Effect, Given, Trigger
from crm.schema.model.base import Keys, Labelled, Source, Thing, translated
from crm.schema.model.campaigns import CampaignStep, CampaignType, Offset, Response
from crm.schema.model.classes import ClassRule
from crm.schema.model.company import (
    ActivityRoles,
    AdjustmentRoles,
    ApprovalRoles,
    CampaignRoles,
    GoalRoles,
    Group,
    Link,
    MailRoles,
    ScenarioRoles,
    Subject,
    TeamRoles,
    UserRoles,
)
from crm.schema.model.conversions import Conversion, ConversionTarget, Filling, Finding
from crm.schema.model.dashboards import Card, Dashboard
from crm.schema.model.entities import (
    Board,
    Centre,
    Check,
    Checks,
    Duplicates,
    Entity,
    Filter,
    Fit,
    Form,
    Indexes,
    Kind,
    Kinds,
    Listed,
    ListView,
    NextStep,
    Relation,
    Remember,
    Rule,
    Statement,
    Timeline,
    Tree,
    Twins,
    without,
)
from crm.schema.model.forecasts import CATEGORIES, LEVERS, Forecast, Spend
from crm.schema.model.imports import ImportMap, Target
from crm.schema.model.kpis import Kpi, KpiPart
from crm.schema.model.mails import MailTemplate
from crm.schema.model.packs import Pack, PackPart
from crm.schema.model.pipelines import FORECASTS, OUTCOMES, Approval, Moves, Pipeline, Stage, Todo
from crm.schema.model.reports import AGGREGATES, OVER, UNITS, Axis, Chart, Measure, Report, Stays, Survival
from crm.schema.model.roles import ACTS, EVERYTHING, NOTHING, SCOPES, Rights, Role
from crm.schema.model.schema import Hook, Schema
from crm.schema.model.scores import Score, ScoreModel, ScoreRule
from crm.schema.model.services import Goal, Goals, Hours, Service
