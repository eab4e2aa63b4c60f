"""Why somebody may or may not do something, in plain words (I6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.errors import Missing
from crm.records.figures import Figures
from crm.records.shape import DELETED, heads
from crm.schema.model import Entity
from crm.schema.scope import TREE


@dataclass
class Decision:
    """A decision on access and the reasons for it, one line each."""

    allowed: bool
    because: list[str] = field(default_factory=list)


class Explaining(Figures):
    """`why`: shown to whoever looks after rights; it names fields and says what a role is refused, never a value."""

    def why(self, entity: str, id: int | None = None, field: str | None = None, act: str = "see") -> Decision:
        """May this user do `act` to the entity (to this record, with this field), and why."""
        t = self.words
        actor = self.actor
        lines: list[str] = []
        if actor.system:
            return Decision(True, [t("The system itself may do everything.")])
        if entity not in self.schema.entities:
            raise Missing("There is nothing called {name}.", name=entity)
        one = self.schema.entities[entity]
        role = self.schema.roles.get(actor.role)
        if role is None:
            return Decision(False, [t("{who} has no role that the configuration knows, so nothing is allowed.", who=actor.name)])
        lines.append(t("{who} is {role}.", who=actor.name, role=role.label_in(t)))
        sight = self.sight(entity)
        if role.admin and entity not in role.rights and "*" not in role.rights:
            lines.append(t("An administrator may do everything that the role does not narrow."))
        elif entity not in role.rights and "*" not in role.rights:
            return Decision(False, [*lines, t("The role says nothing about {what}, so nothing is allowed.", what=one.plural_in(t))])
        elif entity not in role.rights:
            lines.append(t("The role does not name {what}; what it says for everything else holds.", what=one.plural_in(t)))
        for wanted in dict.fromkeys(("see", act)):
            scope = sight.plan.scopes[wanted]
            lines.append(self._scope_line(wanted, scope, one.plural_in(t)))
            if scope == "none":
                return Decision(False, lines)
        allowed = True
        if id is not None:
            doc = self.company.table(entity).get(doc_id=id)
            if doc is None:
                return Decision(False, [*lines, t("There is no such record.")])
            if doc.get(DELETED) is not None:
                allowed = False
                lines.append(t("It was deleted."))
            for wanted in dict.fromkeys(("see", act)):
                if sight.plan.scopes[wanted] == "all" or act == "create":
                    continue
                holds = sight.allows(wanted, doc, id)
                allowed = allowed and holds
                lines.append(self._record_line(sight, doc, wanted, holds))
        if field is not None:
            allowed = self._field_lines(sight, field, act, lines) and allowed
        return Decision(allowed, lines)

    def _scope_line(self, act: str, scope: object, what: str) -> str:
        t = self.words
        said = {"see": t("see"), "create": t("create"), "change": t("change"), "delete": t("delete"), "export": t("export")}[act]
        if scope == "none":
            return t("The role may not {act} {what}.", act=said, what=what)
        if scope == "all":
            return t("The role may {act} all {what}.", act=said, what=what)
        if scope == "own":
            return t("The role may {act} its own {what}.", act=said, what=what)
        if scope == "team":
            return t("The role may {act} {what} of its own team and the teams below it.", act=said, what=what)
        return t(
            "The role may {act} {what} for which this holds: {condition}", act=said, what=what, condition=str(getattr(scope, "text", scope))
        )

    def _record_line(self, sight: Any, doc: Mapping[str, Any], act: str, holds: bool) -> str:
        t = self.words
        scope = sight.plan.scopes[act]
        if not isinstance(scope, str):
            return t("The condition holds for this record.") if holds else t("The condition does not hold for this record.")
        key, _ = sight._whose(scope)
        owner = doc.get(key) if key != "id" else None
        name = self.company.people.name(owner) if isinstance(owner, int) else None
        if holds:
            return t("This record counts as theirs: it belongs to {owner}.", owner=name or self.actor.name)
        return t("This record belongs to {owner}.", owner=name) if name else t("This record belongs to nobody.")

    def _field_lines(self, sight: Any, key: str, act: str, lines: list[str]) -> bool:
        t = self.words
        one = sight.entity
        if key not in one.fields:
            lines.append(t("There is no field called {key} here.", key=key))
            return False
        label = one.fields[key].label_in(t)
        if key in sight.plan.because:
            cause = sight.plan.because[key]
            if cause == key:
                lines.append(t("The role hides {field}.", field=label))
            else:
                lines.append(
                    t("{field} is hidden because it is computed from {other}, which the role may not see.", field=label, other=cause)
                )
            return False
        if act in ("change", "create") and key not in (sight.plan.writable if act == "change" else sight.plan.settable):
            field = one.fields[key]
            if field.computed:
                lines.append(t("{field} is computed, nobody writes it.", field=label))
            elif getattr(field, "system", False) or getattr(field, "fixed", False):
                lines.append(t("{field} is kept by the system.", field=label))
            else:
                lines.append(t("{field} is read only for the role.", field=label))
            return False
        lines.append(t("The role may read {field}.", field=label) if act == "see" else t("The role may write {field}.", field=label))
        if unseen := self._counted_unseen(one, key):
            what = ", ".join(self.schema.entities[name].plural_in(t) for name in unseen)
            lines.append(
                t("{field} is a figure of the whole company: it counts {what} that the role may not see, too. Only `hide:` keeps it back.", field=label, what=what)
            )
        return True

    def _counted_unseen(self, entity: Entity, key: str) -> list[str]:
        """The entities whose records a rollup (or a formula over rollups) counts, of which this user's role does not see all."""
        found: list[str] = []
        queue, seen = [key], {key}
        while queue:
            field = entity.fields[queue.pop()]
            for head in heads(field.rollup.uses) if field.rollup is not None else ():
                other = entity.name if head == TREE else entity.back[head][0] if head in entity.back else None
                if other is not None and other not in found and self.sight(other).plan.scopes["see"] != "all":
                    found.append(other)
            for head in heads(field.formula.uses) if field.formula is not None else ():
                if head in entity.fields and head not in seen:
                    seen.add(head)
                    queue.append(head)
        return found
