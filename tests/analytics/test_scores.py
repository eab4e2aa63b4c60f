"""What is learned about scores is true, calibrated and told with its quality; renewing keeps everything current (B1)."""

from __future__ import annotations

import importlib.util
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from crm.analytics import scores
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

spec = importlib.util.spec_from_file_location("bench_scores", Path(__file__).parents[1] / "bench" / "scores.py")
assert spec is not None and spec.loader is not None
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)


@pytest.fixture
def company():
    found = Company(load(shipped("sales")), open_store(":memory:"))
    yield found
    found.store.close()


def fill(company, rows):
    with company.store.transaction(actor="system"):
        company.table("lead").insert_multiple(rows)


def test_chances_are_those_the_records_were_drawn_from(company):
    """Leads drawn from known chances: the model ranks nearly as well as the truth itself could, each fifth of the predictions came out
    as said, and the scores of open leads are near their true chances."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    ended = made_up.leads(1500, seed=5, open_share=0.0)
    fill(company, [*ended, *made_up.leads(300, seed=6, open_share=1.0)])
    score = company.schema.scores["lead"]
    kept = scores.learn(company, score)
    assert kept["used"] and kept["good"] + kept["bad"] == 1500
    truth, came = [made_up.chance(one) for one in ended], [one["status"] == "converted" for one in ended]
    assert kept["auc"] > roc_auc_score(came, truth) - 0.03
    assert kept["brier"] < brier_score_loss(came, truth) + 0.01 < kept["brier_plain"]
    assert all(abs(said - was) < 0.08 for said, was, n in kept["calibration"])
    assert scores.renew(company, score, pause=0)["looked"] == 1800
    off = [abs(one["score"] / 100 - made_up.chance(one)) for one in company.find("lead") if one["open"]]
    assert len(off) == 300 and sum(off) / len(off) < 0.05


def test_noise_teaches_nothing(company):
    draw = random.Random(2)
    rows = made_up.leads(400, seed=8, open_share=0.0)
    for one in rows:
        one["status"] = "converted" if draw.random() < 0.3 else "dropped"
    fill(company, rows)
    kept = scores.learn(company, company.schema.scores["lead"])
    assert not kept["used"] and kept["why"] == "blind" and 0.4 < kept["auc"] < 0.58
    door = company.door(SYSTEM)
    assert door.score_reasons("lead", 1).by == "rules"


@pytest.mark.parametrize("n,good,why", [(80, 40, "few"), (200, 6, "one_sided")])
def test_too_little_teaches_nothing(company, n, good, why):
    rows = made_up.leads(n, open_share=1.0)
    for number, one in enumerate(rows):
        one["status"], one["open"] = ("converted" if number < good else "dropped"), False
    fill(company, rows)
    kept = scores.learn(company, company.schema.scores["lead"])
    assert (kept["used"], kept["why"], kept["good"], kept["bad"]) == (False, why, good, n - good)


def test_only_what_was_known_when_it_was_made_is_learned_from(company):
    """A budget that is filled in only after the end gives nothing away."""
    door = company.door(SYSTEM)
    draw = random.Random(4)
    for number in range(40):
        good = draw.random() < 0.5
        one = door.create("lead", {"name": {"last": f"L{number}"}, "source": "web"})
        more = {"status": "converted"} if good else {"status": "dropped", "drop_reason": "no_need"}
        door.change("lead", one.id, {**more, "budget": 90000 if good else 100, "impression": "hot" if good else "cold"})
    rows, ends = scores.past(company, company.schema.scores["lead"])
    assert len(rows) == 40 and 5 < sum(ends) < 35
    assert all(row["budget"] is None and row["impression"] is None and row["source"] == "web" for row in rows)


def test_the_demo_has_something_to_learn(demo):
    """The demo's leads end by source, impression, job and budget; the model finds it in what it had not seen."""
    kept = scores.learn(demo, demo.schema.scores["lead"])
    assert kept["good"] + kept["bad"] > 120 and kept["auc"] > 0.5
    assert {one["path"] for one in kept["features"]} == set(demo.schema.scores["lead"].model.features)


def test_the_worker_learns_renews_and_then_rests(demo):
    from crm.worker import JOBS

    now = demo.now()
    JOBS["scores"]().run(demo, now)
    score = demo.schema.scores["lead"]
    first = demo.store.meta.get("score.lead")
    assert first is not None and first["hash"] == score.hash
    door = demo.door(SYSTEM)
    for record in door.list("lead", limit=40):
        assert record["score"] == door.score_reasons("lead", record.id).score
    before = demo.store.sequence
    JOBS["scores"]().run(demo, now + timedelta(minutes=15))
    assert demo.store.sequence == before
    JOBS["scores"]().run(demo, now + timedelta(days=1))
    assert demo.store.meta.get("score.lead")["trained_on"] != first["trained_on"]


def test_a_renewal_that_was_broken_off_is_gone_on_with(company):
    fill(company, made_up.leads(900, open_share=0.0))
    score = company.schema.scores["lead"]
    scores.learn(company, score)
    looks = iter([False, False, True])
    assert scores.renew(company, score, chunk=100, pause=0, stop=lambda: next(looks))["looked"] == 200
    done = scores.renew(company, score, chunk=100, pause=0, after=company.store.meta.get("score.lead.at"))
    assert done["looked"] == 700
    assert company.count("lead", None) == len([1 for one in company.find("lead") if one.get("score") is not None])


def test_the_charity_learns_with_its_own_names(nonprofit_store, tmp_path):
    company = Company(load(shipped("nonprofit")), open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db"))))
    kept = scores.learn(company, company.schema.scores["promise"])
    assert kept["used"] and kept["auc"] > 0.6 and kept["brier"] < kept["brier_plain"]
    company.store.close()
