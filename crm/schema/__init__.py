"""The configuration: YAML in, a checked `Schema` out.

`load(folder)` gives the `Schema` or raises `ConfigError` with all faults; `check(folder)` gives the faults; `shipped("sales")` is the
folder of a shipped configuration; `json_schema()` and `write_json_schema(folder)` describe the language to editors.
"""

from crm.schema.describe import json_schema, language_page, write_json_schema
from crm.schema.faults import is_warning
from crm.schema.load import HOOKS, check, load
from crm.schema.model import Entity, Pipeline, Role, Schema
from crm.schema.overlay import shipped, shipped_names

__all__ = [
    "HOOKS",
    "Entity",
    "Pipeline",
    "Role",
    "Schema",
    "check",
    "is_warning",
    "json_schema",
    "language_page",
    "load",
    "shipped",
    "shipped_names",
    "write_json_schema",
]
