"""The main pages of both shipped configurations, light and dark, hold nothing that axe-core (WCAG 2.2 A and AA) finds serious or critical."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from crm.views.base import PAGES
from tests.ui.conftest import Running
from tests.ui.walk import Walk, kinds_of

AXE = Axe()
#: Everything but what is told as a matter of taste; the charts are canvases and say themselves in words beside them.
RUN = """tags => axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values: tags}}).then(found => found.violations.map(
  one => ({id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.map(node => node.html.slice(0, 160) + ' @ ' + node.target.flat(9).slice(-2).join(' > ') + (node.any[0] ? ' ' + node.any[0].message : ''))})))"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def main_pages(run: Running) -> list[str]:
    """One page of each kind, of the entity that has a pipeline."""
    schema, door = run.company.schema, run.company.door(run.company.actor(run.user("admin")))
    pipeline = next(iter(schema.pipelines.values()))
    entity = pipeline.entity
    record = door.list(entity, limit=1)[0].id
    report, dashboard, pack = next(iter(schema.reports)), next(iter(schema.dashboards)), next(iter(schema.packs), "")
    return [
        "view=home", f"view=list&entity={entity}", f"view=record&entity={entity}&id={record}", f"view=form&entity={entity}&id={record}",
        f"view=board&pipeline={pipeline.name}", "view=calendar", f"view=chart&entity={entity}", f"view=process&pipeline={pipeline.name}",
        f"view=report&name={report}", f"view=dashboard&name={dashboard}", f"view=pack&name={pack}", "view=forecast", "view=whatif", "view=kpis",
        "view=automations", "view=settings", "view=admin&tab=users",
    ]  # fmt: skip


def faults(walk: Walk, query: str) -> list[str]:
    """What axe finds on a page on a desk; `walk` has opened it at both widths."""
    walk.to(query)
    if walk.narrow:
        walk.wide()
    if not walk.page.evaluate("() => !!window.axe"):
        walk.page.evaluate(AXE.axe_script)
    found = walk.page.evaluate(RUN, TAGS)
    return [f"{query}: {one['id']} ({one['impact']}): {one['help']}: {node}" for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"][:3]]


@pytest.mark.parametrize("name", ["sales", "nonprofit"])
def test_nothing_keeps_anybody_out(sign_in, request, name):
    run = request.getfixturevalue("server" if name == "sales" else "charity")
    walk = Walk(sign_in("admin", run=run))
    queries = main_pages(run)
    assert set(PAGES) - {"trouble"} == kinds_of(queries)
    wrong = []
    for dark in (False, True):
        walk.window.dark(dark)
        wrong += [f"{'dark' if dark else 'light'}: {fault}" for query in queries for fault in faults(walk, query)]
    assert not wrong + walk.wrong, "\n".join(wrong + walk.wrong)
