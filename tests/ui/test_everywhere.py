"""Every page of both shipped configurations: nothing is asked of another address, nothing fails, nothing is wider than a phone;
and markup in every text of the records and of the configuration stays text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Error as PlaywrightError

from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store
from tests.ui.conftest import Running, Window, serve

ALL_TEXT = """() => { const out = []; const walk = n => { if (n.nodeType === 3) out.push(n.data); else { if (n.shadowRoot) walk(n.shadowRoot); if (n.value && n.nodeName !== 'LI') out.push(n.value);
  for (const kid of n.childNodes) if (!['STYLE', 'SCRIPT'].includes(kid.nodeName)) walk(kid) } }; walk(document.body); return out.join(' ') }"""
WIDE = """() => { const all = [document.scrollingElement]; const walk = n => { for (const c of n.children) { if (c.matches('main,.main-content')) all.push(c); walk(c); if (c.shadowRoot) walk(c.shadowRoot) } }; walk(document.body)
  return all.map(n => n.scrollWidth - n.clientWidth).reduce((a, b) => Math.max(a, b), 0) }"""
HIT = """() => { const out = window.__hit === undefined ? [] : ['it ran']; const walk = n => { for (const c of n.children) { if (c.matches('img[src="x"],script:not([src]):not([type]):not([id])') && /__hit/.test(c.outerHTML)) out.push(c.outerHTML);
  walk(c); if (c.shadowRoot) walk(c.shadowRoot) } }; walk(document.documentElement); return out }"""


class Walk:
    """Goes from page to page inside the app, and waits until each stands."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page
        self.wrong: list[str] = []
        window.goto("view=settings")

    def to(self, query: str, phone: bool = True) -> None:
        roots = self.page.locator("main .root")
        roots.evaluate_all("nodes => nodes.forEach(n => { n.dataset.old = '1' })")
        self.page.evaluate("query => dispatchEvent(new CustomEvent('crm:go', {detail: query}))", query)
        try:
            self.page.locator("main .root:not([data-old])").first.wait_for(state="attached", timeout=60_000)
        except PlaywrightError:
            self.wrong.append(f"{query}: did not come")
            return
        self.settle()
        if self.page.get_by_role("heading", name="Not found").count():
            self.wrong.append(f"{query}: not found")
        if phone:
            self.narrow(query)
        self.told(query)

    def settle(self) -> None:
        self.window.seen()
        self.page.wait_for_function("() => !window.Bokeh || Bokeh.documents.every(one => one.is_idle)", timeout=60_000)

    def narrow(self, query: str) -> None:
        """No page scrolls sideways on a phone."""
        self.page.set_viewport_size({"width": 390, "height": 844})
        try:                                                  # charts take up the new width a moment later
            self.page.wait_for_function(f"() => ({WIDE})() <= 1", timeout=10_000)
        except PlaywrightError:
            self.wrong.append(f"{query}: {self.page.evaluate(WIDE)} pixels wider than a phone")
        self.page.set_viewport_size({"width": 1280, "height": 800})

    def told(self, query: str) -> None:
        """What went wrong since the last page."""
        for what, found in (("error", self.window.errors), ("outside", self.window.outside)):
            self.wrong += [f"{query}: {what}: {one}" for one in found]
            found.clear()


def pages(run: Running, user: int) -> list[str]:
    """The addresses of all pages a user may open: by the navigation's registries, one record each."""
    schema, door = run.company.schema, run.company.door(run.company.actor(user))
    found = ["view=home"]
    for name in schema.entities:
        if not door.may("see", name):
            continue
        found.append(f"view=list&entity={name}")
        if records := door.list(name, limit=1):
            found.append(f"view=record&entity={name}&id={records[0].id}")
            if door.may("change", name, records[0]):
                found.append(f"view=form&entity={name}&id={records[0].id}")
        if door.may("create", name):
            found.append(f"view=form&entity={name}")
    for name, pipeline in schema.pipelines.items():
        if door.may("see", pipeline.entity):
            found += [f"view=board&pipeline={name}", f"view=calendar&entity={pipeline.entity}", f"view=chart&entity={pipeline.entity}", f"view=process&pipeline={name}"]
    found += ["view=calendar", "view=report", "view=calendar&mode=week", "view=settings"]
    from crm.analytics import names
    found += [f"view=dashboard&name={name}" for name, one in schema.dashboards.items() if door.actor.admin or door.actor.role in one.roles]
    kinds: dict[str, str] = {}
    for name in names(door):
        kinds.setdefault(schema.reports[name].chart.name + str(schema.reports[name].chart.options), name)
    found += [f"view=report&name={name}" for name in kinds.values()]
    if door.actor.admin:
        found += ["view=admin&tab=users", "view=settings&again", "view=admin&tab=roles", "view=home&again", "view=admin&tab=config", "view=automations"]
    return found


@pytest.fixture(params=["sales", "nonprofit"])
def run(request) -> Running:
    return request.getfixturevalue("server" if request.param == "sales" else "charity")


def test_every_page_stands_alone_and_fits_a_phone(sign_in, run):
    walk = Walk(sign_in("admin", run=run))
    for query in pages(run, run.user("admin")):
        walk.to(query)
    assert not walk.wrong, "\n".join(walk.wrong)
    assert any(url.startswith(run.address.replace("http", "ws") + "/ws") for url in walk.window.requests)           # websockets are seen, too


def test_a_websocket_to_elsewhere_is_seen(sign_in, server):
    window = sign_in("admin")
    window.page.route("**/*", lambda route: route.fulfill(body="<p>a page without a policy</p>", content_type="text/html"))
    window.page.goto(server.address)
    window.page.evaluate("() => { new WebSocket('ws://127.0.0.1:65001/elsewhere') }")
    window.page.wait_for_function("() => true")
    assert window.outside == ["ws://127.0.0.1:65001/elsewhere"]


def test_the_home_and_the_navigation_of_every_role_stand(sign_in, run):
    wrong = []
    for role in run.company.schema.roles:
        if role == "admin":
            continue
        window = sign_in(role, run=run)
        walk = Walk(window)
        walk.to("view=home")
        links = window.get_by_role("navigation", name="Main").get_by_role("link").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        for href in dict.fromkeys(links):
            if href and href.startswith("?") and href != "?view=home":
                walk.to(href[1:], phone=False)
        wrong += [f"{role}: {one}" for one in walk.wrong]
        window.page.context.close()
    assert not wrong, "\n".join(wrong)


# -- markup ------------------------------------------------------------------------------------------------------------------------------

IMG, SCRIPT = "<img src=x onerror=window.__hit=1>", "</script><script>window.__hit=1</script>"
NASTY = f"{IMG}{SCRIPT}"
SHOWN = {"label", "plural", "help", "placeholder", "say"}
GROUPS = {"form", "facts"}


def spoiled(node: Any, key: str = "") -> Any:
    """A configuration with markup in every text that users see."""
    if isinstance(node, dict):
        if key in GROUPS:
            return {f"{name} {IMG}": one for name, one in node.items()}
        if key == "options":
            return {name: spoiled(one, "option") if isinstance(one, dict) else f"{one} {NASTY}" for name, one in node.items()}
        return {name: one if name == "options" and "analysis" in node else spoiled(one, name) for name, one in node.items()}
    if isinstance(node, list):
        return [f"{one} {NASTY}" for one in node] if key == "do" else [spoiled(one) for one in node]
    if key in SHOWN and isinstance(node, str):
        return f"{node} {NASTY}"
    if key in ("title", "subtitle") and isinstance(node, str):
        return f"{node} {IMG}"
    return node


def spoil(target: Path) -> Path:
    """A copy of the sales configuration, with what it inherits, all its labels with markup."""
    for name in ("base", "sales"):
        for path in sorted(Path(shipped(name)).rglob("*.yaml")):
            inside = path.relative_to(shipped(name))
            if inside.parts[0] in ("imports", "labels") or path.name == "demo.yaml":
                continue
            node = spoiled(yaml.load(path.read_text("utf-8"), yaml.BaseLoader))
            if str(inside) == "crm.yaml" and name == "sales":
                node = {**read(target / inside), **node, "languages": ["en"]}
                node.pop("extends", None)
            elif (target / inside).exists():
                node = merged(read(target / inside), node)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            (target / inside).write_text(json.dumps(node, ensure_ascii=False), "utf-8")
    return target


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{key: merged(old[key], one) if key in old else one for key, one in new.items()}}


def stuff(company: Company) -> dict[str, int]:
    """Markup in every text of one record of each entity: through the door, else straight into the store. {entity: id}."""
    door, found = company.door(SYSTEM), {}
    for name, entity in company.schema.entities.items():
        records = door.list(name, limit=1, order=["id"])
        if not records:
            continue
        number = found[name] = records[0].id
        for key, field in entity.own_fields.items():
            if field.kind != "text" or field.formula or field.rollup or key == company.schema.users.login and name == company.schema.users.entity:
                continue
            if field.name in ("choice", "stage", "pipeline"):
                continue
            try:
                door.change(name, number, {key: f"{key} {NASTY}"})
            except Exception:            # cleaned away or refused: past the door, then, as data of an older version may be
                table = company.store.table(name)
                with company.store.transaction(actor="test"):
                    table.update({key: f"{key} {NASTY}"}, doc_ids=[number])
    return found


@pytest.fixture(scope="module")
def spoilt(demo_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spoilt")
    store = open_store(str(shutil.copy(demo_store, folder / "crm.db")))
    run = serve(Company(load(str(spoil(folder / "config"))), store))
    run.stuffed = stuff(run.company)                          # type: ignore[attr-defined]
    yield run
    run.halt()
    store.close()


def test_markup_in_records_and_configuration_stays_text(sign_in, spoilt):
    window = sign_in("admin", run=spoilt)
    page, seen = window.page, {"record": 0, "list": 0, "form": 0}
    walk = Walk(window)

    def look(query: str) -> None:
        if hits := page.evaluate(HIT):
            walk.wrong.append(f"{query}: {hits}")
        walk.wrong += [f"{query}: asked for {url}" for url in window.requests if url.endswith("/x")]
        window.requests.clear()

    queries = pages(spoilt, spoilt.user("admin"))
    for name, number in spoilt.stuffed.items():
        queries += [f"view=record&entity={name}&id={number}", f"view=form&entity={name}&id={number}", f"view=list&entity={name}&q=__hit"]
    for query in dict.fromkeys(queries):
        walk.to(query, phone=False)
        look(query)
        kind = query.split("&")[0][5:]
        if kind in seen and IMG in page.evaluate(ALL_TEXT):
            seen[kind] += 1
        if kind in ("report", "dashboard", "chart", "home"):
            for box in page.locator("main canvas").all()[:4]:
                if area := box.bounding_box():
                    for x in (0.25, 0.5, 0.75):
                        page.mouse.move(area["x"] + area["width"] * x, area["y"] + area["height"] * 0.6)
            look(query + " under the mouse")
    assert min(seen.values()) >= 5, seen

    page.keyboard.press("Control+k")
    page.get_by_role("combobox").last.press_sequentially("onerror", delay=20)
    page.get_by_role("option").filter(has_text="<img").first.wait_for()
    look("search")
    page.keyboard.press("Escape")
    walk.to("view=form&entity=account", phone=False)
    page.locator("main").get_by_label("Name").first.fill(NASTY)
    page.get_by_role("button", name="Create").click()
    page.get_by_text("created", exact=False).first.wait_for()
    look("toast")
    assert not walk.wrong, "\n".join(walk.wrong)
