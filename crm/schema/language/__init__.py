"""The YAML language: every kind of file, every key, its shape and what it means; a module for each folder of a configuration.

The check, the JSON Schema for editors and `LANGUAGE.md` are made from this one description. Field types add their own keys
(`crm.fields`, class attribute `settings`).
"""

from __future__ import annotations

from crm.schema.language.assignments import ASSIGNMENT
from crm.schema.language.automations import AUTOMATION
from crm.schema.language.campaigns import CAMPAIGN
from crm.schema.language.classes import CLASS
from crm.schema.language.company import COMPANY
from crm.schema.language.conversions import CONVERSION
from crm.schema.language.dashboards import DASHBOARD
from crm.schema.language.entities import ENTITY
from crm.schema.language.forecasts import FORECAST
from crm.schema.language.imports import IMPORT
from crm.schema.language.kpis import KPI
from crm.schema.language.labels import LABELS
from crm.schema.language.mails import MAIL
from crm.schema.language.packs import PACK
from crm.schema.language.pipelines import PIPELINE
from crm.schema.language.reports import REPORT
from crm.schema.language.roles import ROLE
from crm.schema.language.scores import SCORE
from crm.schema.language.services import SERVICE
from crm.schema.shapes import Struct

__all__ = ["COMPANY", "FOLDERS", "KINDS", "LABELS", "LEFT_ALONE"]

#: folder → (the key that names a file's thing, its shape)
KINDS: dict[str, tuple[str, Struct]] = {
    "entities": ("entity", ENTITY),
    "pipelines": ("pipeline", PIPELINE),
    "roles": ("role", ROLE),
    "campaigns": ("campaign", CAMPAIGN),
    "reports": ("report", REPORT),
    "kpis": ("kpi", KPI),
    "forecasts": ("forecast", FORECAST),
    "dashboards": ("dashboard", DASHBOARD),
    "automations": ("automation", AUTOMATION),
    "imports": ("import", IMPORT),
    "scores": ("score", SCORE),
    "assignments": ("assignment", ASSIGNMENT),
    "conversions": ("conversion", CONVERSION),
    "classes": ("class", CLASS),
    "services": ("service", SERVICE),
    "mails": ("mail", MAIL),
    "packs": ("pack", PACK),
}
FOLDERS = (*KINDS, "labels")
#: Files that belong to the shipped folders without being read here.
LEFT_ALONE = ("demo", "tests")
