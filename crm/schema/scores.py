"""Builds the scores: how promising records are, by rules and by what earlier ones became (B1).

The field of a score and the field of its rating become computed: `Computed` stands where a formula would, so that everything that
holds for formulas holds for them (kept current in the write, nobody types it, hidden with what it is made of).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Entity, Score, ScoreModel, ScoreRule
from crm.schema.reading import entries, nodes, scalar, submap, text, texts, whole
from crm.yamlfile import Map, Scalar

AT_LEAST = 150


class Computed:
    """The value of a score's field (`part` "field") or of its rating ("rating"), in the place of a formula."""

    aggregate = None

    def __init__(self, score: Score, part: str) -> None:
        self.score, self.part = score, part
        self.kind = "integer" if part == "field" else "choice"
        self.text = f"score {score.name}.{part} {score.hash}"
        self.constants: frozenset[str] = frozenset()
        if part == "field":
            self.uses = frozenset(path for rule in score.rules for path in rule.when.uses)
            self.uses |= frozenset(score.model.features if score.model else ())
            self.constants = frozenset(one for rule in score.rules for one in rule.when.constants) - {"me"}
        else:
            self.uses = frozenset({score.field})

    def __str__(self) -> str:
        return self.text

    def evaluate(self, env: Any) -> Any:
        """The score (0 to 100), or the option of the rating."""
        if self.part == "field":
            return env.company.scoring.value(self.score, env)
        reached = env.get(self.score.field)
        if reached is None:
            return None
        return next((option for option, low in self.score.levels.items() if reached >= low), None)


def build(b: Building) -> None:
    taken: dict[tuple[str, str], str] = {}
    for name, node in b.things("scores"):
        entity = b.entity(node, "E450")
        if entity is None:
            continue
        one = Score(
            **b.head("scores", name, node),
            entity=entity.name,
            field="",
            start=whole(node, "start") or 0,
            hash=hashlib.sha256(json.dumps(node.plain(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16],
        )
        one.field = kept(b, scalar(node, "field"), entity, "score", ("integer",), taken, name) or ""
        rated(b, one, entity, submap(node, "rating"), taken)
        rules(b, one, entity, node)
        learned(b, one, entity, node.get("model"))
        if not one.field or not one.rules or circle(b, one, entity, node):
            continue
        b.schema.scores[name] = one
        for part, key in (("field", one.field), ("rating", one.rating)):
            if key:
                field = entity.fields[key]
                field.formula, field.default, field.fixed = Computed(one, part), None, True


def kept(
    b: Building, node: Scalar | None, entity: Entity, what: str, types: tuple[str, ...], taken: dict[tuple[str, str], str], name: str
) -> str | None:
    """The field a score or rating is kept in: of the right type, computed by nothing else."""
    key = b.field(node, entity, "E451") if node is not None else None
    if key is None or node is None:
        return None
    field = entity.fields[key]
    fitting = [one for one, f in entity.fields.items() if f.name in types and not f.system and not f.computed]
    if field.name not in types:
        b.faults.add("E451", node, f"'{key}' is of type {field.name}, and the {what} is kept in a field of type {' or '.join(types)}.", (
            f"Write one of: {known(fitting)}." if fitting else f"Add a field of type {types[0]} to '{entity.name}'."
        ))  # fmt: skip
        return None
    if (entity.name, key) in taken:
        b.faults.add("E459", node, f"'{key}' is kept by the score '{taken[entity.name, key]}' already.", "Keep it in another field.")
        return None
    if field.computed or field.default is not None or field.required:
        why = "is computed" if field.computed else "has a default" if field.default is not None else "must be filled by hand"
        mend = f"Take {'its formula' if field.computed else '`default`' if field.default is not None else '`required`'} out, or name another field."
        b.faults.add("E451", node, f"'{key}' {why}, and the {what} is worked out by the score '{name}'.", mend)
        return None
    if what == "score" and not (field.spec.get("min") in (None, "0") and field.spec.get("max") in (None, "100")):
        b.faults.add("E451", node, f"'{key}' does not hold 0 to 100.", "Give it `min: 0, max: 100`.")
        return None
    taken[entity.name, key] = name
    return key


def rated(b: Building, one: Score, entity: Entity, node: Map, taken: dict[tuple[str, str], str]) -> None:
    key = kept(b, scalar(node, "field"), entity, "rating", ("choice",), taken, one.name)
    if key is None:
        return
    options = entity.fields[key].spec.get("options") or {}
    levels: dict[str, int] = {}
    for option, low in entries(submap(node, "of")):
        name = b.reference(option, options, f"option of '{key}'", "E452")
        if name is None or not isinstance(low, Scalar) or not low.text.lstrip("+").isdigit():
            continue
        if int(low.text) in levels.values():
            b.faults.add("E452", low, f"two ratings begin at {low.text}.", "Give each option its own lower end.")
        levels[name] = int(low.text)
    if levels and min(levels.values()) > 0:
        at = submap(node, "of").keys[min(levels, key=lambda name: levels[name])]
        b.faults.add("E452", at, f"a score below {min(levels.values())} has no rating.", "Let the lowest option begin at 0.")
    one.rating, one.levels = key, dict(sorted(levels.items(), key=lambda pair: -pair[1]))


def rules(b: Building, one: Score, entity: Entity, node: Map) -> None:
    for number, below in enumerate(nodes(node, "rules"), 1):
        when = b.expression(scalar(below, "when"), entity.scope, "boolean")
        if when is None:
            continue
        if far := lists(when.uses, entity):
            at = scalar(below, "when")
            assert at is not None
            message = f"a score reads the record and what it links to, and '{far}' is a list of records that link here."
            b.faults.add("E453", at, message, f"Add a rollup to '{entity.name}' that counts them, and name that.")
            continue
        path = f"{one.path}.rules.{number}.say"
        one.rules.append(ScoreRule(when, whole(below, "points") or 0, b.text(path, text(below, "say")), path))


def lists(uses: Any, entity: Entity) -> str | None:
    return next((path for path in sorted(uses) if path.split(".")[0] in entity.back), None)


def learned(b: Building, one: Score, entity: Entity, node: Any) -> None:
    """The model: what counts as good and bad, and features that cannot know it."""
    if not isinstance(node, Map):
        return
    good = b.expression(scalar(node, "good"), entity.scope, "boolean")
    bad = b.expression(scalar(node, "bad"), entity.scope, "boolean")
    if good is None or bad is None:
        return
    told = {path.split(".")[0] for path in good.uses | bad.uses}
    features = []
    for said in texts(node, "features"):
        found = b.path(said, entity)
        if found is None:
            continue
        head = entity.fields[said.text.split(".")[0]]
        why = leak(head, told, entity)
        if head.key in (one.field, one.rating):
            why = "is worked out by this very score"
        if why is None and found[1].name not in LEARNABLE:
            why = f"is of type {found[1].name}, from which nothing is learned"
        if why is not None:
            b.faults.add("E454", said, f"'{said.text}' {why}.", "Take it out: only what is known before the end may be learned from.")
        elif said.text not in features:
            features.append(said.text)
    one.model = ScoreModel(good, bad, features, whole(node, "at_least") or AT_LEAST)


LEARNABLE = frozenset(
    "choice choices boolean integer number money percent duration rating text link user team phone email long_text markdown address date"
    " datetime tags url".split()
)


def leak(field: Any, told: set[str], entity: Entity) -> str | None:
    """Why a field gives away how a record ended, None when it does not."""
    if field.key in told:
        return "says how it ended"
    if field.rollup is not None:
        return "counts what happens afterwards"
    if field.system or field.name in ("stage", "pipeline") or field.key == entity.stage_field:
        return "follows from how it goes on"
    show = getattr(field.show, "uses", ())
    if told & {path.split(".")[0] for path in show}:
        return f"is asked for only when it has ended (`show: {field.show}`)"
    formula = getattr(field.formula, "uses", ())
    if told & {path.split(".")[0] for path in formula}:
        return "is computed from how it ended"
    return None


def circle(b: Building, one: Score, entity: Entity, node: Map) -> bool:
    """Whether a rule reads the score itself, or something computed from it."""
    mine = {key for key in (one.field, one.rating) if key}
    for rule, below in zip(one.rules, nodes(node, "rules"), strict=False):
        for path in sorted(rule.when.uses):
            open_, seen = [path.split(".")[0]], set[str]()
            while open_:
                key = open_.pop()
                if key in mine:
                    at = scalar(below, "when") or node
                    b.faults.add("E453", at, f"this score needs itself: '{path}' is worked out from it.", "Name another field.")
                    return True
                formula = getattr(entity.fields.get(key), "formula", None)
                if key not in seen and formula is not None:
                    seen.add(key)
                    open_ += [used.split(".")[0] for used in getattr(formula, "uses", ())]
    return False


__all__ = ["Computed", "build"]
