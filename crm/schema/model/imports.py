"""An import map: how the columns of a file become fields."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh

from crm.schema.model.base import Source, Thing


@dataclass
class Target:
    """Where the value of a column goes.

    `field` a field key, `part` of an address or name (`city`); `find` the field of the linked entity that holds the value;
    `values` {text in the file: typed value}; `otherwise` what to do with a value not found: `reject` the row, leave it
    `empty`, `keep` it as it is, or another `Target` that takes it. `entity` narrows links with several targets.
    """

    field: str
    part: str | None = None
    find: str | None = None
    values: dict[str, str] = fresh(default_factory=dict)
    otherwise: str | Target = "reject"
    format: str | None = None
    source: Source = fresh(default_factory=Source)


@dataclass
class ImportMap(Thing):
    """How a file becomes records of an entity: `columns` {column of the file: targets}.

    `match` are the fields that say a record is already there; `constants` {field: typed value}; `skip` {column: texts
    that leave a row out}; `gates` `check` or `skip`; `ignore` columns known and left out.
    """

    entity: str
    file: str | None = None
    columns: dict[str, list[Target]] = fresh(default_factory=dict)
    match: list[str] = fresh(default_factory=list)
    constants: dict[str, str] = fresh(default_factory=dict)
    defaults: dict[str, str] = fresh(default_factory=dict)
    skip: dict[str, list[str]] = fresh(default_factory=dict)
    ignore: list[str] = fresh(default_factory=list)
    gates: str = "check"
    dates: str = "auto"
    decimal: str = "auto"
    encoding: str | None = None
    delimiter: str | None = None
