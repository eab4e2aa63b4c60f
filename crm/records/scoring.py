"""How promising a record is, and why (B1).

A score is a sum of points by rules, or, once there is history enough, 100 times the chance that a model learned from how earlier
records ended. The model is a table of weights in the store's settings (`crm.analytics.scores` learns it); applying it is plain
addition, the same for one record and for a hundred thousand, so that a score is kept current inside the write like any formula.

    log-odds = intercept + the weight of each feature's value          (weights are relative to the average record)

What a feature added to the score is its weight times the mean slope of the logistic curve between the average record and this one
(integrated gradients, Sundararajan et al. 2017, exact here): the parts add up to the score.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm.errors import Missing
from crm.schema.model import Score

if TYPE_CHECKING:
    from crm.records.company import Company

#: How long, in seconds, what another process learned may stay unseen here.
FRESH = 2.0
#: Below this a model does not rank better than a coin would, and the rules are used.
TELLS = 0.55
#: The value of a feature that is not filled, and of one that was too rare to learn from.
EMPTY, OTHER, FILLED = "", "*", "+"


@dataclass
class Reason:
    """One part of a score: `points` it adds or takes, in words; `field` the field it comes from, None for the rest."""

    text: str
    points: int
    field: str | None = None


@dataclass
class Reasons:
    """Why a record has its score: the points of `lines` add up to `score`. `by` is `model` or `rules`, `say` how it was worked out;
    `facts` is what is known of the model (trained_on, good, bad, auc, brier), empty without one."""

    score: int
    by: str
    lines: list[Reason]
    say: str
    rating: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Scoring:
    """The scores of one company with the models that are in use."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self._kept: dict[str, tuple[float, dict[str, Any] | None]] = {}

    def learned(self, score: Score) -> dict[str, Any] | None:
        """What was learned for a score as it is configured now, in use or not; None when nothing was."""
        if score.model is None:
            return None
        now = time.monotonic()
        looked, found = self._kept.get(score.name, (0.0, None))
        if not looked or now - looked > FRESH:
            found = self.company.store.meta.get(key(score), None)
            if found is not None and found.get("hash") != score.hash:
                found = None
            self._kept[score.name] = (now, found)
        return found

    def model(self, score: Score) -> dict[str, Any] | None:
        """The model in use, None while the rules decide."""
        found = self.learned(score)
        return found if found is not None and found.get("used") else None

    def forget(self) -> None:
        """Read again what was learned, with the next question."""
        self._kept.clear()

    # -- the value

    def value(self, score: Score, env: Any) -> int:
        """The score of a record, 0 to 100."""
        model = self.model(score)
        if model is None:
            return min(100, max(0, score.start + sum(rule.points for rule in score.rules if rule.when.holds(env))))
        return percent(model["intercept"] + sum(weight(one, stored(env, one["path"])) for one in model["features"]))

    # -- the reasons

    def reasons(self, score: Score, env: Any, say: Any, t: Any) -> Reasons:
        """Why. `say(path)` gives a feature's value in the reader's words."""
        model = self.model(score)
        found = self._by_model(score, model, env, say, t) if model is not None else self._by_rules(score, env, t)
        found.rating = next((option for option, low in score.levels.items() if found.score >= low), None)
        learned = self.learned(score)
        if learned is not None:
            found.facts = {k: learned[k] for k in ("trained_on", "good", "bad", "auc", "brier", "brier_plain", "used") if k in learned}
        return found

    def _by_rules(self, score: Score, env: Any, t: Any) -> Reasons:
        lines = [Reason(rule.say_in(t), rule.points, _head(rule.when.uses)) for rule in score.rules if rule.when.holds(env) and rule.points]
        if score.start:
            lines.insert(0, Reason(t("Where everybody begins"), score.start))
        total = sum(one.points for one in lines)
        value = min(100, max(0, total))
        if value != total:
            lines.append(Reason(t("Not above 100") if total > 100 else t("Not below 0"), value - total))
        return Reasons(value, "rules", lines, self._why_rules(score, t))

    def _why_rules(self, score: Score, t: Any) -> str:
        if score.model is None:
            return t("Worked out by rules.")
        learned = self.learned(score)
        if learned is None:
            return t("Worked out by rules: nothing has been learned from the past yet.")
        if learned["why"] == "few":
            n = learned["good"] + learned["bad"]
            return t("Worked out by rules: {n} have ended so far, and {least} are needed to learn from.", n=n, least=score.model.at_least)
        if learned["why"] == "one_sided":
            return t("Worked out by rules: nearly all have ended the same way, so there is nothing to learn yet.")
        return t("Worked out by rules: what was learned from {n} does not foretell the end.", n=learned["good"] + learned["bad"])

    def _by_model(self, score: Score, model: Mapping[str, Any], env: Any, say: Any, t: Any) -> Reasons:
        base = model["intercept"]
        weights = [(one["path"], weight(one, stored(env, one["path"]))) for one in model["features"]]
        total = base + sum(w for _, w in weights)
        slope = (chance(total) - chance(base)) / (total - base) if abs(total - base) > 1e-9 else chance(base) * (1 - chance(base))
        exact = [100 * chance(base), *(100 * slope * w for _, w in weights)]
        points = whole(exact, percent(total))
        lines = [Reason(t("What one of these reaches on average"), points[0])]
        parts = sorted(zip(weights, points[1:], strict=True), key=lambda part: (-abs(part[1]), -abs(part[0][1])))
        lines += [Reason(say(path), number, path.split(".")[0]) for (path, _), number in parts if number]
        how = t(
            "Learned from {n} that have ended, {good} of them well. In {share} of the cases it was tested on, "
            "the one that ended well had the higher score.",
            n=model["good"] + model["bad"],
            good=model["good"],
            share=t.percent(round(model["auc"], 2)),
        )
        return Reasons(percent(total), "model", lines, how)


def key(score: Score) -> str:
    """Where the store's settings keep what was learned."""
    return f"score.{score.name}"


def chance(odds: float) -> float:
    """The chance behind log-odds."""
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))


def percent(odds: float) -> int:
    return min(100, max(0, math.floor(100 * chance(odds) + 0.5)))


def whole(exact: Sequence[float], total: int) -> list[int]:
    """Whole numbers near `exact` that add up to `total` (largest remainders)."""
    down = [math.floor(one) for one in exact]
    short = total - sum(down)
    order = sorted(range(len(exact)), key=lambda i: down[i] - exact[i])
    step = 1 if short > 0 else -1
    for n in range(abs(short)):
        down[order[n % len(order)] if step > 0 else order[-1 - n % len(order)]] += step
    return down


def stored(env: Any, path: str) -> Any:
    """The stored value at a path: of the record, or of one it links to."""
    *links, last = path.split(".")
    for link in links:
        env = env.follow(link)
        if env is None:
            return None
    return env.doc_id if last == "id" else env.doc.get(last)


def weight(feature: Mapping[str, Any], value: Any) -> float:
    """What a feature's value weighs; a value never seen weighs as the rare ones do."""
    weights = feature["weights"]
    found = weights.get(category(feature, value))
    return float(found if found is not None else weights.get(OTHER, 0.0))


def category(feature: Mapping[str, Any], value: Any) -> str:
    """Which of a feature's values this is: the option, the number's span, the text, or only whether it is filled."""
    if value is None or value == "" or value == []:
        return EMPTY
    kind = feature["kind"]
    if kind == "number":
        return str(bisect_right(feature["edges"], value)) if isinstance(value, (int, float)) else FILLED
    if kind == "text":
        return " ".join(str(value).casefold().split())
    if kind == "each":
        return "true" if value is True else "false" if value is False else str(value)
    return FILLED


def score_of(company: Company, entity: str) -> Score:
    """The first score of an entity. Raises `Missing` where there is none."""
    found = next((one for one in company.schema.scores.values() if one.entity == entity), None)
    if found is None:
        raise Missing("There is no score here.")
    return found


def explain(door: Any, entity: str, id: int) -> Reasons:
    """Why a record this user may see has its score, in their language. `Missing` where it has none they may see."""
    company, t = door.company, door.words
    score = score_of(company, entity)
    record = door.get(entity, id)
    if score.field not in record:
        raise Missing("There is no score here.")
    one = company.schema.entities[entity]

    def say(path: str) -> str:
        head, _, rest = path.partition(".")
        label = one.fields[head].label_in(t)
        value: Any = record.get(head)
        field_ = one.fields[head]
        if value is None:
            return t("{label}: not given", label=label)
        if rest:
            linked = company.env(entity, id, record._doc).follow(head)
            field_ = company.schema.entities[field_.to].fields[rest]
            value = linked.get(rest) if linked is not None else None
            if value is None:
                return t("{label}: not given", label=label)
        if field_.name in ("long_text", "markdown", "address", "url", "email", "phone"):
            return t("{label}: given", label=label)
        return f"{label}: {field_.display(value, door.shown)}"

    return company.scoring.reasons(score, company.env(entity, id, record._doc, door.actor), say, t)


def _head(uses: Any) -> str | None:
    heads = {path.split(".")[0] for path in uses}
    return heads.pop() if len(heads) == 1 else None
