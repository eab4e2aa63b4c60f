"""From page to page inside the app, as users go; what goes wrong on the way is collected."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError

from tests.ui.conftest import PATIENCE, Running, Window

ALL_TEXT = """() => { const out = []; const walk = n => { if (n.nodeType === 3) out.push(n.data); else { if (n.shadowRoot) walk(n.shadowRoot); if (n.value && n.nodeName !== 'LI') out.push(n.value);
  for (const kid of n.childNodes) if (!['STYLE', 'SCRIPT'].includes(kid.nodeName)) walk(kid) } }; walk(document.body); return out.join(' ') }"""
WIDE = """() => { const all = [document.scrollingElement]; const walk = n => { for (const c of n.children) { if (c.matches('main,.main-content')) all.push(c); walk(c); if (c.shadowRoot) walk(c.shadowRoot) } }; walk(document.body)
  return all.map(n => n.scrollWidth - n.clientWidth).reduce((a, b) => Math.max(a, b), 0) }"""
DESK, PHONE = (1280, 800), (390, 844)
AXE = Axe()
#: What axe-core (WCAG 2.2 A and AA) finds; charts are canvases and say themselves in words beside them.
RUN = """tags => axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values: tags}}).then(found => found.violations.map(
  one => ({id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.map(node => node.html.slice(0, 160) + ' @ ' + node.target.flat(9).slice(-2).join(' > ') + (node.any[0] ? ' ' + node.any[0].message : ''))})))"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Walk:
    """Goes from page to page and waits until each stands with all its cards; `wrong` tells what did not hold."""

    def __init__(self, window: Window, first: str = "view=settings") -> None:
        self.window, self.page = window, window.page
        self.wrong: list[str] = []
        self.narrow = False
        window.load(first)

    def to(self, query: str, phone: bool = True, cards: bool = True) -> None:
        """Opens a page and looks at all its cards; with `phone` at both widths: as the one before was left, then at the other one."""
        try:
            self.window.goto(query)
            if cards:
                self.window.seen()
        except (PlaywrightError, AssertionError) as exc:
            self.wrong.append(f"{query}: did not come: {str(exc).splitlines()[0]}")
            return self.window.load("view=settings")
        if self.page.get_by_role("heading", name="Not found").count():
            self.wrong.append(f"{query}: not found")
        if phone:
            self.fits(query)
            self.wide() if self.narrow else self.slim()
            self.fits(query)
        self.told(query)

    def read(self, query: str, but: str = "") -> None:
        """Nothing that axe finds serious or critical stands on the page of an address, which is open; it is read on a desk. `but` is a rule left out."""
        if self.narrow:
            self.wide()
        if not self.page.evaluate("() => !!window.axe"):
            self.page.evaluate(AXE.axe_script)
        found = [one for one in self.page.evaluate(RUN, TAGS) if one["impact"] in ("serious", "critical") and one["id"] != but]
        self.wrong += [f"{query}: {one['id']} ({one['impact']}): {one['help']}: {node}" for one in found for node in one["nodes"][:3]]

    def slim(self) -> None:
        self.page.set_viewport_size(dict(zip(("width", "height"), PHONE)))            # type: ignore[arg-type]
        self.narrow = True

    def wide(self) -> None:
        self.page.set_viewport_size(dict(zip(("width", "height"), DESK)))             # type: ignore[arg-type]
        self.narrow = False

    def fits(self, query: str) -> None:
        """No page scrolls sideways on a phone; charts take up a new width a moment later."""
        if not self.narrow:
            return
        try:
            self.page.wait_for_function(f"() => ({WIDE})() <= 1", timeout=PATIENCE * 1000)
        except PlaywrightError:
            self.wrong.append(f"{query}: {self.page.evaluate(WIDE)} pixels wider than a phone")

    def told(self, query: str) -> None:
        """What went wrong since the last page."""
        for what, found in (("error", self.window.errors), ("outside", self.window.outside)):
            self.wrong += [f"{query}: {what}: {one}" for one in found]
            found.clear()


def pages(run: Running, user: int, chosen: dict[str, int] | None = None) -> list[str]:
    """The addresses of all pages a user may open: by the registries, one record each (`chosen` says which)."""
    from crm.analytics import names
    schema, door = run.company.schema, run.company.door(run.company.actor(user))
    found = ["view=home"]
    for name in schema.entities:
        if not door.may("see", name):
            continue
        found.append(f"view=list&entity={name}")
        number = (chosen or {}).get(name) or next((one.id for one in door.list(name, limit=1)), None)
        if number:
            found.append(f"view=record&entity={name}&id={number}")
            if door.may("change", name, door.get(name, number)):
                found.append(f"view=form&entity={name}&id={number}")
        if door.may("create", name):
            found.append(f"view=form&entity={name}")
    for name, pipeline in schema.pipelines.items():
        if door.may("see", pipeline.entity):
            found += [f"view=board&pipeline={name}", f"view=calendar&entity={pipeline.entity}", f"view=chart&entity={pipeline.entity}", f"view=process&pipeline={name}"]
    found += ["view=calendar", "view=calendar&mode=week", "view=report", "view=settings"]
    home = schema.roles[door.actor.role].home                                         # its cards are on the home page
    found += [f"view=dashboard&name={name}" for name, one in schema.dashboards.items() if name != home and (door.actor.admin or door.actor.role in one.roles)]
    kinds: dict[str, str] = {}
    for name in names(door):
        kinds.setdefault(schema.reports[name].chart.name + str(schema.reports[name].chart.options), name)
    found += [f"view=report&name={name}" for name in kinds.values()]
    found += [f"view=pack&name={name}" for name in schema.packs][:1] + [f"view={view}" for view in ("forecast", "whatif", "kpis")]
    if door.actor.admin:
        found += ["view=admin&tab=users", "view=admin&tab=roles", "view=admin&tab=config", "view=automations"]
    return list(dict.fromkeys(found))


def kind_of(query: str) -> str:
    return query.split("&")[0][5:]


def main_pages(run: Running, queries: list[str]) -> set[str]:
    """One page of each kind, of the entity that has a pipeline, and each that is also a list of its kind; there is no kind left out."""
    from crm.views.base import PAGES
    entity, found = next(iter(run.company.schema.pipelines.values())).entity, dict[tuple[str, bool, bool], str]()
    for query in sorted(queries, key=lambda query: f"entity={entity}" not in query):
        found.setdefault((kind_of(query), "name=" in query, "entity=" in query), query)
    assert set(PAGES) - {"trouble"} == {kind for kind, *_ in found}
    return set(found.values())


def every_page(walk: Walk, run: Running, user: int) -> list[str]:
    """Opens all of them at both widths, and reads one of each kind with axe; gives those that were read."""
    queries = pages(run, user)
    read = main_pages(run, queries)
    for query in queries:
        walk.to(query)
        if query in read:
            walk.read(query)
    return [query for query in queries if query in read]


def every_role(sign_in: Any, run: Running) -> None:
    """The home of every role but the administrator's at both widths, and all that its navigation leads to."""
    wrong = []
    for role in run.company.schema.roles:
        if role == "admin":
            continue
        window = sign_in(role, run=run)
        walk = Walk(window)
        walk.to("view=home")
        walk.wide()
        links = window.get_by_role("navigation", name="Main").get_by_role("link").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        queries = [href[1:] for href in dict.fromkeys(links) if href and href.startswith("?") and href != "?view=home"]
        assert queries, role
        home = f"view=dashboard&name={run.company.schema.roles[role].home}"               # its cards were on the home page
        for query in queries:
            walk.to(query, phone=False, cards=query != home)
        wrong += [f"{role}: {one}" for one in walk.wrong]
        window.page.close()
    assert not wrong, "\n".join(wrong)
