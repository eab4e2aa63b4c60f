"""Learns from how earlier records ended which ones are promising, and renews scores (B1).

The model is a logistic regression on the values of its features (options, numbers in spans, filled or not), with ridge
regularisation whose strength is chosen by cross-validated log loss, and calibrated by Platt's sigmoid on predictions for records it
had not seen (Platt 1999). Everything said about its quality comes from five-fold cross-validation of that whole procedure: each
record is judged by a model that never saw it. What is kept is a table of weights (see `crm.records.scoring`), nothing else.

A feature is looked at as it was when the record was made, so that nothing of the end leaks into the beginning.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.records import SYSTEM
from crm.records.scoring import EMPTY, FILLED, OTHER, TELLS, category, key
from crm.records.shape import DELETED
from crm.schema.model import Score

if TYPE_CHECKING:
    from crm.records.company import Company

log = logging.getLogger(__name__)

#: The newest records that ended are learned from, at most so many.
MOST = 8000
#: Of each end there must be at least so many.
EACH = 15
#: A value seen less often than this share (and number) is not learned from by itself.
RARE, FEW = 0.01, 4
#: The spans a number is cut into.
SPANS = 5
STRENGTHS = (0.02, 0.06, 0.2, 0.6, 2.0)
FOLDS = 5
#: Records renewed in one commit, and the pause (seconds) after it: long enough that whoever waits for the store gets in between.
CHUNK, PAUSE = 300, 0.06

Row = Mapping[str, Any]


def learn(company: Company, score: Score, now: datetime | None = None) -> dict[str, Any]:
    """Learn anew and keep what was learned; it comes back. `used` says whether the score follows it from now on, `why` (few, one_sided,
    blind) why not. `auc`, `brier`, `brier_plain` (of always saying the average) and `calibration` (`[said, was, n]`) are of records
    the model had not seen."""
    assert score.model is not None
    rows, ends = past(company, score)
    good = sum(ends)
    kept: dict[str, Any] = {
        "hash": score.hash,
        "config": company.schema.hash,
        "trained_on": (now or company.now()).isoformat(timespec="seconds"),
        "good": good,
        "bad": len(ends) - good,
        "used": False,
        "why": "",
    }
    if len(ends) < score.model.at_least:
        kept["why"] = "few"
    elif min(good, len(ends) - good) < EACH:
        kept["why"] = "one_sided"
    else:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # small sums: more threads only wait for one another
            kept |= fit(rows, ends, kinds(company, score))
        kept["used"] = kept["auc"] >= TELLS and kept["brier"] < kept["brier_plain"]
        kept["why"] = "" if kept["used"] else "blind"
    with company.store.transaction(actor=SYSTEM.login, note="Learned"):
        company.store.meta.set(key(score), kept)
    company.scoring.forget()
    return kept


def kinds(company: Company, score: Score) -> dict[str, str]:
    """How each feature is looked at: `each` value by itself, `number`s in spans, `text`s by their words, else whether it is `filled`."""
    found = {}
    for path in score.model.features if score.model else ():
        head, _, rest = path.partition(".")
        field = company.schema.entities[score.entity].fields[head]
        if rest:
            field = company.schema.entities[field.to].fields[rest]
        if field.name in ("choice", "boolean", "link", "user", "team"):
            found[path] = "each"
        elif field.name in ("integer", "number", "money", "percent", "duration", "rating"):
            found[path] = "number"
        elif field.name == "text":
            found[path] = "text"
        else:
            found[path] = "filled"
    return found


# -- what there is to learn from


def past(company: Company, score: Score) -> tuple[list[Row], list[int]]:
    """The features of the newest records that ended, as they were when made, and how they ended (1 well, 0 badly)."""
    assert score.model is not None
    table = company.table(score.entity)
    ended: list[tuple[int, int]] = []
    for end, condition in ((1, score.model.good), (0, score.model.bad)):
        ended += [(doc_id, end) for doc_id in company.ids(score.entity, company.expression_query(condition, SYSTEM))]
    both = {doc_id for doc_id, n in Counter(doc_id for doc_id, _ in ended).items() if n > 1}  # good and bad at once says nothing
    ended = sorted((one for one in ended if one[0] not in both), reverse=True)[:MOST]
    linked: dict[tuple[str, int], Any] = {}
    rows: list[Row] = []
    for doc_id, _ in ended:
        born = table.history(doc_id)[:1]
        first = {name: pair[1] for name, pair in born[0].patch.items()} if born and born[0].act == "create" else {}
        rows.append({path: _at(company, score.entity, first, path, linked) for path in score.model.features})
    return rows, [end for _, end in ended]


def _at(company: Company, entity: str, doc: Row, path: str, linked: dict[tuple[str, int], Any]) -> Any:
    head, _, rest = path.partition(".")
    value = doc.get(head)
    if not rest or not isinstance(value, int):
        return value if not rest else None
    to = str(company.schema.entities[entity].fields[head].to)
    if (to, value) not in linked:
        linked[to, value] = company.doc(to, value) or {}
    return _at(company, to, linked[to, value], rest, linked)


# -- learning


def fit(rows: Sequence[Row], ends: Sequence[int], looked: Mapping[str, str], seed: int = 7) -> dict[str, Any]:
    """The weights, and how well they foretell: `{"intercept", "features", "auc", "brier", "brier_plain", "calibration", "strength"}`."""
    import numpy as np
    from sklearn.metrics import brier_score_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    y = np.asarray(ends)
    said = np.zeros(len(y))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y):
        made = _table([rows[i] for i in train], y[train], looked, seed)
        odds = np.array([made["intercept"] + sum(_weigh(one, rows[i]) for one in made["features"]) for i in test])
        said[test] = 1 / (1 + np.exp(-odds))
    made = _table(rows, y, looked, seed)
    made["auc"] = round(float(roc_auc_score(y, said)), 4)
    made["brier"] = round(float(brier_score_loss(y, said)), 4)
    made["brier_plain"] = round(float(y.mean() * (1 - y.mean())), 4)
    order = np.argsort(said, kind="stable")
    made["calibration"] = [
        [round(float(said[some].mean()), 4), round(float(y[some].mean()), 4), len(some)] for some in np.array_split(order, 5) if len(some)
    ]
    return made


def _weigh(feature: Row, row: Row) -> float:
    weights = feature["weights"]
    return float(weights.get(category(feature, row.get(feature["path"])), weights.get(OTHER, 0.0)))


def _table(rows: Sequence[Row], y: Any, looked: Mapping[str, str], seed: int) -> dict[str, Any]:
    """Fit, choose the strength, calibrate; weights are relative to the average of the records learned from."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    features, columns, where = _design(rows, looked)
    x = np.zeros((len(rows), max(1, len(columns))))
    for number, row in enumerate(rows):
        for feature in features:
            at = where.get((feature["path"], category(feature, row.get(feature["path"]))), where.get((feature["path"], OTHER)))
            if at is not None:
                x[number, at] = 1.0
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    tried = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, solver="newton-cholesky")
        unseen = cross_val_predict(model, x, y, cv=folds, method="decision_function")
        tried.append((log_loss(y, 1 / (1 + np.exp(-unseen))), strength, unseen))
    _, strength, unseen = min(tried, key=lambda one: one[0])
    sigmoid = LogisticRegression(C=1.0).fit(unseen.reshape(-1, 1), y)
    stretch, shift = max(0.0, float(sigmoid.coef_[0, 0])), float(sigmoid.intercept_[0])
    model = LogisticRegression(C=strength, solver="newton-cholesky").fit(x, y)
    weights = stretch * model.coef_[0]
    average = x.mean(axis=0)
    for feature in features:
        mine = {value: at for (path, value), at in where.items() if path == feature["path"]}
        middle = float(sum(weights[at] * average[at] for at in mine.values()))
        feature["weights"] = {value: round(float(weights[at]) - middle, 6) for value, at in mine.items()}
        feature["weights"].setdefault(OTHER, 0.0 if not mine else round(-middle, 6))
    intercept = stretch * float(model.intercept_[0]) + shift + float(weights @ average)
    return {"intercept": round(intercept, 6), "strength": strength, "features": features}


def _design(
    rows: Sequence[Row], looked: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]], dict[tuple[str, str], int]]:
    """The features with their spans, and a column for each value that is common enough; what is rare shares one."""
    import numpy as np

    features, columns = [], []
    for path, kind in looked.items():
        feature: dict[str, Any] = {"path": path, "kind": kind}
        if kind == "number":
            known = sorted(row[path] for row in rows if isinstance(row.get(path), (int, float)) and not isinstance(row.get(path), bool))
            cuts = np.quantile(known, np.linspace(0, 1, SPANS + 1)[1:-1]) if len(known) >= SPANS * FEW else []
            feature["edges"] = sorted({float(cut) for cut in cuts})
        counts = Counter(category(feature, row.get(path)) for row in rows)
        common = [value for value, n in sorted(counts.items()) if n >= max(FEW, RARE * len(rows)) or value in (EMPTY, FILLED)]
        if len(common) < len(counts):
            common.append(OTHER)
        features.append(feature)
        columns += [(path, value) for value in common]
    return features, columns, {column: number for number, column in enumerate(columns)}


# -- keeping scores current


def renew(
    company: Company, score: Score, chunk: int = CHUNK, pause: float = PAUSE, stop: Callable[[], bool] | None = None, after: int = 0
) -> dict[str, Any]:
    """Work every score out anew, a chunk at a time so that others write in between: `{"looked", "changed", "seconds", "longest"}`.

    A chunk reads and writes in one transaction, so nothing that changes meanwhile is overwritten. `after` begins behind this record.
    """
    began, longest, looked, changed = time.monotonic(), 0.0, 0, 0
    table = company.table(score.entity)
    ids = [doc_id for doc_id in table.ids(None) if doc_id > after]
    ids.sort()
    keys = [name for name in (score.field, score.rating) if name]
    shape = company.shapes[score.entity]
    fields = [(field, formula) for field, formula, _ in shape.formulas if field.key in keys]
    alone = not _reaches(company, score, set(keys))
    for start in range(0, len(ids), chunk):
        if stop is not None and stop():
            break
        some = ids[start : start + chunk]
        held = time.monotonic()
        with company.writing(SYSTEM, "Scores") as writing:
            patches: dict[int, dict[str, Any]] = {}
            for doc in table.get_many(some):
                if doc.get(DELETED) is not None:
                    continue
                looked += 1
                new = dict(doc)
                env = company.env(score.entity, doc.doc_id, new)
                patch = {}
                for field, formula in fields:
                    value = formula.evaluate(env)
                    if new.get(field.key) != value:
                        patch[field.key] = new[field.key] = value
                if patch:
                    patches[doc.doc_id] = patch
                    if not alone:
                        writing.settling.settle(score.entity, doc.doc_id, dict.fromkeys(keys, _again()), 0)
            if patches and alone:
                table.update_many_derived(patches)
            changed += len(patches)
            company.store.meta.set(f"{key(score)}.at", some[-1])
        longest = max(longest, time.monotonic() - held)
        if pause:
            time.sleep(pause)
    return {"looked": looked, "changed": changed, "seconds": time.monotonic() - began, "longest": longest}


def _again() -> Any:
    from crm.records.derive import AGAIN

    return AGAIN


def _reaches(company: Company, score: Score, keys: set[str]) -> bool:
    """Whether anything else is computed from the score: formulas of the record, figures and formulas elsewhere."""
    shape = company.shapes[score.entity]
    return (
        any(uses & keys and field.key not in keys for field, _, uses in shape.formulas)
        or any(one.feeds & keys for one in shape.feeding)
        or any(one.keys & keys for one in shape.watched)
    )


def current(company: Company, score: Score, now: datetime, every: float = 86400.0) -> bool:
    """Learn where it is time (never yet, another configuration, a day ago) and renew what follows; whether anything was done. Safe to
    be interrupted: what was begun is gone on with."""
    store = company.store
    learned = store.meta.get(key(score), None) if score.model is not None else None
    if score.model is not None:
        old = datetime.fromisoformat(learned["trained_on"]) if learned else None
        if learned is None or learned.get("hash") != score.hash or old is None or (now - old).total_seconds() >= every:
            learned = learn(company, score, now)
    stamp = f"{score.hash} {learned['trained_on'] if learned and learned['used'] else 'rules'}"
    if store.meta.get(f"{key(score)}.renewed", None) == stamp:
        return False
    state = store.meta.get(f"{key(score)}.renewing", None)
    if state != stamp:
        with store.transaction():
            store.meta.set(f"{key(score)}.renewing", stamp)
            store.meta.set(f"{key(score)}.at", 0)
    done = renew(company, score, after=int(store.meta.get(f"{key(score)}.at", 0) or 0))
    log.info("%s: %s of %s scores renewed in %.1f s", score.name, done["changed"], done["looked"], done["seconds"])
    with store.transaction():
        store.meta.set(f"{key(score)}.renewed", stamp)
    return True


__all__ = ["current", "fit", "kinds", "learn", "past", "renew"]
