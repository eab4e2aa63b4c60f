"""A role: what its users may do with the records of each entity."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Source, Thing

#: What a role may do with an entity's records, and how far each act reaches.
ACTS = ("see", "create", "change", "delete", "export")
SCOPES = ("none", "own", "team", "all")


@dataclass
class Rights:
    """What a role may do with the records of one entity.

    Each act is `none`, `own`, `team`, `all` or an `Expression` over the record. `create` is `none` or `all`.
    `hide` and `read_only` are field keys.
    """

    see: Any = "none"
    create: Any = "none"
    change: Any = "none"
    delete: Any = "none"
    export: Any = "none"
    hide: list[str] = fresh(default_factory=list)
    read_only: list[str] = fresh(default_factory=list)
    source: Source = fresh(default_factory=Source)


#: Nothing at all: what an entity that a role does not name gives it.
NOTHING = Rights()
EVERYTHING = Rights("all", "all", "all", "all", "all")


@dataclass
class Role(Thing):
    """What the users of one role may do; `rights` by entity name, `*` for those not named. `home` = a dashboard's name."""

    rights: dict[str, Rights] = fresh(default_factory=dict)
    home: str | None = None
    admin: bool = False
    modules: list[str] | None = None  # the modules it sees; None = all
    was: list[str] = fresh(default_factory=list)

    def of(self, entity: str) -> Rights:
        """The rights over one entity: the named ones, else those of `*`, else nothing. An admin has all of them."""
        found = self.rights.get(entity, self.rights.get("*"))
        if found is not None:
            return found
        return EVERYTHING if self.admin else NOTHING
