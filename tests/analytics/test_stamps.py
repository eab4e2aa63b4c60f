"""I7: a report kept under its stamp is had again with the same figures, or it is said exactly what is no longer there."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest

from crm import cli
from crm.analytics import names, run
from crm.analytics.stamps import STAMPS, again, keep, unpacked
from crm.errors import Denied, Missing, Refused
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture(params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path):
    source = {"sales": demo_store, "nonprofit": nonprofit_store}[request.param]
    store = open_store(str(shutil.copy(source, tmp_path / "demo.db")))
    yield Company(load(shipped(request.param)), store)
    store.close()


def owned(company):
    """The first pipeline, and somebody who does not see all of its records."""
    pipeline = next(iter(company.schema.pipelines.values()))
    for name, role in company.schema.roles.items():
        if role.of(pipeline.entity).see not in (None, "none", "all") and len(company.people.with_role(name)) > 1:
            return pipeline, company.people.with_role(name)[0]
    raise AssertionError("everybody sees everything")


def turned_over(company, pipeline):
    """Everything changes: amounts, owners, stages, names of linked records; some are deleted."""
    door, roles = company.door(SYSTEM), pipeline.fields
    people = company.ids(company.schema.users.entity)
    for n, record in enumerate(door.list(pipeline.entity, limit=60)):
        with company.writing(SYSTEM):
            company.table(pipeline.entity).update(
                {roles["amount"]: 77700 + n, roles["owner"]: people[n % len(people)]}, doc_ids=[record.id]
            )  # fmt: skip
    for record in door.list(pipeline.entity, limit=5):
        door.delete(pipeline.entity, record.id)
    users = company.schema.users
    for user in people[:4]:
        with company.writing(SYSTEM):
            company.table(users.entity).update({users.name: "Somebody Else"}, doc_ids=[user])
    company.people.stale()


#: Analyses that take long and read nothing by whose it is that the others do not.
SLOW = ("drivers", "cross_sell", "adoption", "reps_needed")


def heavy(company, name):
    """Whether a report replays a forecast: one of them stands for all."""
    return "forecast" in company.schema.reports[name].options


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_report_is_had_again_after_data_and_configuration_changed(company, tmp_path):
    """Run, change the data, change the YAML, again: the same figures, for the engine and for somebody who does not see everything."""
    pipeline, one = owned(company)
    kept, before = [], {}
    for who in (SYSTEM, company.actor(one)):
        door = company.door(who)
        first = next((name for name in names(door) if heavy(company, name) and who is SYSTEM), None)
        for name in names(door):
            if heavy(company, name) and name != first:
                continue
            if who is not SYSTEM and (company.schema.reports[name].entity != pipeline.entity or company.schema.reports[name].analysis in SLOW):
                continue
            result = run(door, name)
            kept.append((who, name, keep(door, result)))
            before[who.login, name] = result.rows
    turned_over(company, pipeline)
    folder = tmp_path / "changed"
    (folder / "reports").mkdir(parents=True)
    (folder / "crm.yaml").write_text(f"extends: {company.schema.name}\ntitle: Changed\n")
    amount = pipeline.fields["amount"]
    other = [name for name, report in company.schema.reports.items() if report.entity == pipeline.entity and not report.analysis][:6]
    for name in other:  # six reports ask for something else from now on
        (folder / "reports" / f"{name}.yaml").write_text(f"report: {name}\nwhere: {amount} > 99999999\n")
    role = company.actor(one).role
    (folder / "roles").mkdir()
    (folder / "roles" / f"{role}.yaml").write_text(
        f"role: {role}\nrights: {{{pipeline.entity}: {{hide: [{amount}]}}}}\n"
    )
    company.reload(load(folder))
    differs, there = 0, names(company.door(SYSTEM))
    for who, name, mark in kept:
        found = again(company, mark)
        assert found.same and not found.differences and found.result.stamp == mark, (who.login, name, found.differences[:3], found.why)
        assert found.result.rows == before[who.login, name]
        if who is SYSTEM and name in there and not heavy(company, name):
            differs += run(company.door(SYSTEM), name).rows != before[who.login, name]
    assert differs > len(there) / 4  # what is shown today is something else


def test_the_kept_configuration_is_the_one_of_then(company):
    again_ = unpacked(company.schema.text, company.schema.hash)
    assert again_.hash == company.schema.hash and list(again_.reports) == list(company.schema.reports)
    with pytest.raises(ValueError):
        unpacked(company.schema.text + " ", company.schema.hash)


def test_parameters_moment_and_user_are_part_of_it(company):
    pipeline, one = owned(company)
    name = next(n for n, r in company.schema.reports.items() if r.entity == pipeline.entity and not r.analysis)
    door = company.door(one)
    some, when = f"{pipeline.fields['amount']} > 1000", datetime(2026, 6, 1, tzinfo=UTC)
    results = [run(door, name), run(door, name, where=some), run(door, name, as_of=when), run(company.door(SYSTEM), name)]
    assert len({one.stamp for one in results}) == 4
    for result, who in zip(results, (door, door, door, company.door(SYSTEM)), strict=True):
        said = result.json()
        assert said["configuration"] == company.schema.hash and said["user"] == who.actor.login
        assert said["parameters"]["where"] == result.wanted
        keep(who, result)
    turned_over(company, pipeline)
    assert all(again(company, one.stamp).same for one in results)


def test_choices_and_definitions_made_on_the_spot_are_part_of_it(company):
    """I7: a report asked otherwise than its YAML says, and one that stands in no YAML, are had again after everything changed."""
    from crm.analytics.shapes import axes, dated, grouped
    from crm.client import Client

    pipeline, one = owned(company)
    client = Client(company, company.actor(one).login)
    made = {name: company.schema.reports[name] for name in client.reports}
    name = next(n for n, r in made.items() if r.entity == pipeline.entity and grouped(r) and axes(client.door, r) and dated(client.door, r))
    other = axes(client.door, made[name])[0].key
    results = [
        client.report(name, by=other), client.report(name, by=other, period="last_year"), client.report(name, period="last_year", compare="previous"),
        client.chart(pipeline.entity, by=pipeline.fields["stage"], measures=f"sum({pipeline.fields['amount']})"),
        client.chart(pipeline.entity, by=pipeline.fields["stage"], measures="count"),
    ]  # fmt: skip
    marks = [result.stamp for result in results]
    assert len(set(marks)) == 5 and marks == [result.stamp for result in results]
    rows = [result.rows for result in results]
    assert rows[0] != client.report(name).rows and results[0].json()["parameters"]["choices"]["by"] == other
    turned_over(company, pipeline)
    for mark, before in zip(marks, rows, strict=True):
        found = again(company, mark)
        assert found.same and found.result.rows == before and found.result.stamp == mark, found.why
    with pytest.raises(Missing, match="There is no group called 'nothing'"):
        client.report(name, by="nothing")
    with pytest.raises(Missing, match="There is no measure called"):
        client.report(name, measure="nothing")


def test_who_may_have_it_again(company):
    pipeline, one = owned(company)
    name = next(n for n, r in company.schema.reports.items() if r.entity == pipeline.entity and n in names(company.door(one)))
    mine = keep(company.door(one), run(company.door(one), name))
    engine = keep(company.door(SYSTEM), run(company.door(SYSTEM), name))
    other = next(id for id in company.people.with_role(company.actor(one).role) if id != one)
    assert again(company, mine, company.door(one)).same and again(company, mine, company.door(SYSTEM)).same
    for mark, who in ((mine, other), (engine, one), ("0" * 16, one)):
        with pytest.raises(Missing, match=f"kept under the stamp {mark}"):
            again(company, mark, company.door(who))
    roles, users = company.schema.roles, company.schema.users
    promoted = next(role for role in roles if role != company.actor(one).role)
    company.door(SYSTEM).change(users.entity, one, {users.role: promoted})
    with pytest.raises(Denied, match="other rights"):
        again(company, mine, company.door(one))
    found = again(company, mine)
    assert found.same and any("has other rights today" in note for note in found.notes)
    company.door(SYSTEM).delete(users.entity, one)
    found = again(company, mine)
    assert found.same and any("is gone" in note for note in found.notes)


def test_what_is_gone_is_said(company):
    """The past of records removed, changes written late, a configuration that is not kept any more, the figures removed."""
    pipeline, _ = owned(company)
    door, entity = company.door(SYSTEM), pipeline.entity
    name = next(
        n for n, r in company.schema.reports.items() if r.entity == entity and len(r.by) == 1 and not r.analysis and r.where is None
    )
    mark = keep(door, run(door, name))
    connection = company.store.table(entity)._storage.connection
    info = company.store.table(entity).info
    some = tuple(company.ids(entity)[:40])
    marks = ",".join("?" * len(some))
    company.store.table(entity).remove(doc_ids=list(some))
    assert again(company, mark).same  # removed for good, but their past is there
    connection.execute(f"DELETE FROM _history WHERE tbl=? AND doc_id IN ({marks})", (info.id, *some))
    connection.execute(f"DELETE FROM {info.past} WHERE doc_id IN ({marks})", some)
    found = again(company, mark)
    total = company.count(entity)
    assert not found.same and found.differences and any(f"of that day {total} are left" in line for line in found.why), found.why
    assert {"row", "column", "then", "now"} == set(found.differences[0])
    company.store.table(STAMPS).update({"configuration": "f" * 64, "text": "0" * 64})
    assert any("configuration of then is not kept" in note for note in again(company, mark).notes)
    company.store.table(STAMPS).update({"report": "none_such"})
    with pytest.raises(Refused, match="none_such cannot be had again"):
        again(company, mark)
    company.store.table(STAMPS).update({"report": name, "figures": "0" * 64})
    with pytest.raises(Refused, match="are gone"):
        again(company, mark)


def test_changes_dated_before_and_written_after_are_told(company):
    pipeline, _ = owned(company)
    door = company.door(SYSTEM)
    name = next(
        n
        for n, r in company.schema.reports.items()
        if r.entity == pipeline.entity and len(r.by) == 1 and not r.analysis and r.where is None
    )
    mark = keep(door, run(door, name))
    table = company.store.table(pipeline.entity)
    stage = company.schema.entities[pipeline.entity].stage_field
    first = next(iter(pipeline.stages))
    with company.store.transaction(actor="system", at="2026-02-01"):
        new = {stage: first, pipeline.fields["amount"]: 500, "created_on": "2026-02-01T08:00:00.000Z"}
        if field := company.schema.entities[pipeline.entity].pipeline_field:
            new[field] = pipeline.name
        table.insert(new)
    found = again(company, mark)
    assert not found.same and "1 change dated before this report was written after it." in found.why


def command(capsys, *words):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_on_the_command_line(demo_store, tmp_path, capsys):
    """`crm report NAME`, then `crm report --again STAMP`: exit code and JSON say whether it is the same."""
    data = str(shutil.copy(demo_store, tmp_path / "demo.db"))
    base = ("--config", "sales", "--data", data, "--json")
    code, out, _ = command(capsys, "report", "revenue_by_month", *base, "--as", "anna")
    first = json.loads(out)
    assert code == 0 and first["user"] == "anna"
    code, out, err = command(capsys, "report", "--again", first["stamp"], *base)
    said = json.loads(out)
    assert (code, said["same"], said["differences"], said["rows"]) == (0, True, [], first["rows"]) and "same figures" in err
    code, out, err = command(capsys, "report", "--again", "beef", *base)
    assert code == 1 and "No report was kept under the stamp beef" in json.loads(out)["error"]
    with open_store(data) as store:
        row = store.table(STAMPS).all()[0]
        from zlib import compress, decompress

        figures = json.loads(decompress(store.blob_get(row["figures"])))
        figures["rows"][0][1] = "1.00"
        store.table(STAMPS).update({"figures": store.blob_put(compress(json.dumps(figures).encode()))})
    code, out, err = command(capsys, "report", "--again", first["stamp"], *base)
    said = json.loads(out)
    assert code == 1 and not said["same"] and said["differences"][0]["then"] == "1.00" and "→" in err
