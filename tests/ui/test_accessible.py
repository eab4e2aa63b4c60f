"""The main pages of both shipped configurations, light and dark, hold nothing that axe-core (WCAG 2.2 A and AA) finds serious or critical."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.ui.conftest import Running, Window

AXE = Axe()
#: Everything but what is told as a matter of taste; the charts are canvases and say themselves in words beside them.
RUN = """tags => axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values: tags}}).then(found => found.violations.map(
  one => ({id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.map(node => node.html.slice(0, 160) + ' @ ' + node.target.flat(9).slice(-2).join(' > ') + (node.any[0] ? ' ' + node.any[0].message : ''))})))"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def main_pages(run: Running) -> list[str]:
    """Home, list, record, form, board, calendar, report, dashboard: one of each, of the entity that has a pipeline."""
    schema, door = run.company.schema, run.company.door(run.company.actor(run.user("admin")))
    pipeline = next(iter(schema.pipelines.values()))
    entity = pipeline.entity
    record = door.list(entity, limit=1)[0].id
    report, dashboard = next(iter(schema.reports)), next(iter(schema.dashboards))
    return [
        "view=home", f"view=list&entity={entity}", f"view=record&entity={entity}&id={record}", f"view=form&entity={entity}&id={record}",
        f"view=board&pipeline={pipeline.name}", "view=calendar", f"view=report&name={report}", f"view=dashboard&name={dashboard}", "view=settings",
        "view=admin&tab=users",
    ]  # fmt: skip


def faults(window: Window, query: str) -> list[str]:
    window.goto(query)
    window.page.wait_for_function("() => Bokeh.documents.every(one => one.is_idle)")
    window.page.evaluate(AXE.axe_script)
    found = window.page.evaluate(RUN, TAGS)
    return [f"{query}: {one['id']} ({one['impact']}): {one['help']}: {node}" for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"][:3]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["sales", "nonprofit"])
def test_nothing_keeps_anybody_out(sign_in, request, name, dark):
    run = request.getfixturevalue("server" if name == "sales" else "charity")
    window = sign_in("admin", run=run, dark=dark)
    wrong = [fault for query in main_pages(run) for fault in faults(window, query)]
    assert not wrong, "\n".join(wrong)
