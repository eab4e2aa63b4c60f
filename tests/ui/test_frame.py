"""The frame: navigation by rights, address and history, keys, dark, language, phone, the word when the connection is gone."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from crm.schema.icons import ICONS
from tests.ui.conftest import serve


def test_nothing_from_elsewhere_is_asked_for_and_nothing_fails(rep):
    for query in ("view=home", "view=form&entity=account", "view=settings", "view=nowhere"):
        rep.goto(query)
    assert rep.outside == [] and rep.errors == []


def test_navigation_shows_what_the_role_may_see(sign_in):
    marketer, rep = sign_in("marketer"), sign_in("rep")
    for window in (marketer, rep):
        window.goto()
        shown = {re.sub(r"\W*\d.*", "", link) for link in window.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()}
        door = window.run.company.door(window.run.user("marketer" if window is marketer else "rep"))
        for entity in window.run.company.schema.entities.values():
            listed = any(link.view == "list" and link.name == entity.name for group in window.run.company.schema.navigation for link in group.links)
            texts = "\n".join(shown)
            assert (entity.plural in texts) == (listed and door.may("see", entity.name)), entity.name


def test_the_address_says_where_you_are_and_back_and_forward_work(rep):
    rep.goto()
    main = rep.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Accounts").click()
    expect(rep.page).to_have_url(re.compile("view=list&entity=account"))
    expect(rep.get_by_role("navigation", name="Path")).to_contain_text("Accounts")
    rep.page.goto(rep.page.url.split("?")[0] + "?view=settings")
    rep.ready()
    rep.go_back()
    rep.ready()
    expect(main.get_by_role("link", name="Accounts")).to_have_attribute("aria-current", "page")
    main.get_by_role("link", name="Home").click()
    expect(rep.get_by_role("heading", level=1)).to_contain_text("Good")
    rep.go_back()
    expect(main.get_by_role("link", name="Accounts")).to_have_attribute("aria-current", "page")
    rep.go_forward()
    expect(rep.get_by_role("heading", level=1)).to_contain_text("Good")
    rep.page.reload()
    rep.ready()
    expect(rep.get_by_role("heading", level=1)).to_contain_text("Good")
    expect(rep.page).to_have_title(re.compile("Home"))


def test_a_page_scrolls_back_to_where_it_was(manager):
    manager.goto()
    expect(manager.get_by_role("figure", name="This quarter")).to_be_visible()
    manager.seen()
    box = manager.locator(".main-content")
    where = manager.until(lambda: (at := box.evaluate("n => { n.scrollTop = 300; return n.scrollTop }")) > 100 and at, "the page is long enough to scroll")
    manager.get_by_role("navigation", name="Main").get_by_role("link", name="Calendar").click()
    expect(manager.page).to_have_url(re.compile("calendar"))
    manager.ready()
    manager.go_back()
    expect(manager.get_by_role("figure", name="This quarter")).to_be_visible()
    manager.until(lambda: abs(box.evaluate("n => n.scrollTop") - where) < 5)


def test_a_page_that_is_being_left_takes_no_clicks(manager):
    """What is clicked there would be lost: it is covered until a part of the page asked for last stands in its place."""
    manager.goto("view=list&entity=opportunity")
    covered, stands = manager.evaluate("""() => {
        const deep = (css, from = document) => { for (const n of [from.querySelector(css), ...from.querySelectorAll('*')]) { if (n?.matches(css)) return n; const hit = n?.shadowRoot && deep(css, n.shadowRoot); if (hit) return hit } }
        const hit = (x, y, from = document) => { const n = from.elementFromPoint(x, y); return n?.shadowRoot && n.shadowRoot.elementFromPoint(x, y) !== n ? hit(x, y, n.shadowRoot) || n : n }
        const row = deep('tbody tr').getBoundingClientRect(), at = [row.left + 200, row.top + 8], before = hit(...at)
        deep('nav.switch a[href*="view=board"]').click()
        const during = hit(...at)
        return new Promise(done => new MutationObserver(() => { if (document.body.getAttribute('aria-busy') === 'false') done([before !== during && !during.closest('table'), !!deep('section.col')]) })
            .observe(document.body, {attributes: true, attributeFilter: ['aria-busy']}))
    }""")
    assert covered and stands
    manager.get_by_role("link", name="List", exact=True).click()
    expect(manager.locator("tbody tr").first).to_be_visible()


def test_an_address_that_leads_nowhere_says_so_in_plain_words(rep):
    for query in ("view=nowhere", "view=record&entity=account&id=999999", "view=record&entity=nothing&id=1", "view=form&entity=account&id=abc", "view=list&entity=__proto__"):
        rep.goto(query)
        expect(rep.get_by_role("heading", name="Not found")).to_be_visible()
        text = rep.locator("main").inner_text()
        assert not re.search(r"Traceback|Error|None|null|KeyError|entity", text), text


def test_a_page_one_may_not_open_is_not_found(rep):
    rep.goto("view=admin")
    expect(rep.get_by_role("heading", name="Not found")).to_be_visible()
    expect(rep.get_by_text("You may not do this.")).to_be_visible()


def test_dark_is_kept(rep):
    rep.goto()
    rep.get_by_role("button", name=re.compile("Your menu")).click()
    rep.get_by_role("menuitem", name="Dark mode").click()
    expect(rep.locator(".mui-dark").first).to_be_attached()
    rep.goto()
    expect(rep.locator(".mui-dark").first).to_be_attached()
    rep.get_by_role("button", name=re.compile("Your menu")).click()
    rep.get_by_role("menuitem", name="Light mode").click()
    expect(rep.locator(".mui-light").first).to_be_attached()


def test_menus_close_by_escape_and_outside_and_give_the_focus_back(rep):
    rep.goto()
    bell = rep.get_by_role("button", name=re.compile("overdue"))
    bell.click()
    expect(rep.get_by_role("menu")).to_be_visible()
    rep.keyboard.press("Escape")
    expect(rep.get_by_role("menu")).to_have_count(0)
    expect(bell).to_be_focused()
    bell.click()
    rep.get_by_role("heading", level=1).click()
    expect(rep.get_by_role("menu")).to_have_count(0)


def test_arrow_keys_walk_through_a_menu(rep):
    rep.goto()
    rep.get_by_role("button", name="Quick add").click()
    items = rep.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    rep.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    rep.keyboard.press("End")
    expect(items.last).to_be_focused()
    rep.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()


def test_the_question_mark_shows_the_keys(rep):
    rep.goto()
    rep.keyboard.press("?")
    expect(rep.get_by_role("dialog", name="Keys")).to_be_visible()
    rep.keyboard.press("Escape")
    expect(rep.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_skip_link_leads_to_the_content(rep):
    rep.goto()
    rep.keyboard.press("Tab")
    link = rep.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    rep.keyboard.press("Enter")
    expect(rep.locator("main")).to_be_focused()


def test_landmarks_stand(rep):
    rep.goto()
    for role, name in (("navigation", "Main"), ("navigation", "Path")):
        expect(rep.get_by_role(role, name=name)).to_be_visible()
    expect(rep.get_by_role("main")).to_have_count(1)
    expect(rep.get_by_role("banner").first).to_be_visible()


def test_the_phone_has_its_bar_and_nothing_is_wider_than_the_screen(phone):
    for query in ("view=home", "view=form&entity=account", "view=settings"):
        phone.goto(query)
        wide = phone.locator("main").evaluate("""main => { const out = []; const walk = n => { for (const c of n.children) { const r = c.getBoundingClientRect();
            const hidden = c.closest?.('.scroll,.sr') || getComputedStyle(c).overflowX !== 'visible'; if (r.width && r.right > innerWidth + 1 && !hidden) out.push(c.className || c.tagName);
            if (!hidden) { walk(c); if (c.shadowRoot) walk(c.shadowRoot) } } }; walk(main); return out }""")
        assert wide == [], (query, wide)
    phone.goto()
    more = phone.get_by_role("button", name="More")
    more.click()
    expect(phone.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts")).to_be_visible()
    phone.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts").click()
    expect(phone.page).to_have_url(re.compile("entity=account"))
    expect(phone.get_by_role("navigation", name="Main")).to_be_hidden()


def test_targets_on_a_phone_are_large_enough(phone):
    phone.goto()
    small = phone.locator("main").evaluate("""main => { const out = []; const walk = n => { for (const c of n.children) { if (c.matches('button,a,input')) { const r = c.getBoundingClientRect();
        if (r.width && (r.width < 24 || r.height < 24) && getComputedStyle(c).display !== 'inline') out.push(c.outerHTML.slice(0, 90)) } walk(c); if (c.shadowRoot) walk(c.shadowRoot) } }; walk(main); return out }""")
    assert small == []


def test_every_icon_of_the_configuration_is_in_the_font(rep):
    rep.goto()
    bad = rep.evaluate("""names => document.fonts.load("20px 'Material Icons Outlined'").then(() => names.filter(name => { const s = document.createElement('span'); s.style.cssText = "font:400 20px/1 'Material Icons Outlined';font-feature-settings:'liga';white-space:nowrap;display:inline-block";
        s.textContent = name; document.body.append(s); const w = s.getBoundingClientRect().width; s.remove(); return w < 15 || w > 25 }))""", sorted(ICONS))
    assert bad == []


def test_the_process_wide_busy_flag_is_unlinked(server):
    """pmui.Page mirrors `pn.state.busy`: linked, each act of one user would be sent to every session."""
    import panel as pn

    from crm.views.app import App

    app = App(server.company, server.company.actor(server.user("rep")))
    with pn.util.edit_readonly(pn.state):
        pn.state.busy = True
        assert app.page.busy is False
        pn.state.busy = False


#: A way to the server that can be cut: what comes then is refused, or ends without anybody being told.
CUT = """(() => { const Real = WebSocket, open = []; let how = ''; window.tried = 0
    window.cut = (what = '') => { how = what; if (what) for (const one of open.splice(0)) one.close() }
    window.WebSocket = class extends Real {
      constructor(url, more) { if (how) window.tried++; if (how === 'untold') return Object.assign(new EventTarget(), {readyState: 3, close() {}, send() {}})
        super(how ? url.replace('/ws?', '/nowhere?') : url, more); open.push(this) } } })()"""


@pytest.mark.parametrize("how", ["refused", "untold"])
def test_the_word_when_the_connection_is_gone(rep, how):
    """The socket is cut and kept from coming back for a while: a plain word, the input stays, and saving works once it is back."""
    rep.page.add_init_script(CUT)
    rep.goto("view=form&entity=account")
    rep.get_by_label("Name").first.fill("Kept while away")
    rep.page.evaluate("how => cut(how)", how)
    word = rep.get_by_role("alert").filter(has_text="The connection is gone")
    expect(word).to_be_visible()
    expect(rep.get_by_label("Name").first).to_have_value("Kept while away")
    rep.page.wait_for_function("() => window.tried")
    rep.page.evaluate("() => cut()")
    expect(word).to_be_hidden()
    expect(rep.get_by_label("Name").first).to_have_value("Kept while away")
    rep.get_by_role("button", name="Create").click()
    expect(rep.page).to_have_url(re.compile("view=record"))


def test_a_server_that_was_started_anew_goes_on_where_one_was(sign_in, demo_store, tmp_path):
    """What a new version or a crash does to somebody in the middle of a form."""
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(demo_store, tmp_path / "own.db")))
    run = serve(Company(load(shipped("sales")), store))
    rep = sign_in("rep", run=run)
    rep.goto("view=home")
    rep.goto("view=form&entity=account")
    rep.get_by_label("Name").first.fill("Typed before the server ended")
    run.halt()
    word = rep.get_by_role("alert").filter(has_text="The connection is gone")
    expect(word).to_be_visible()
    again = serve(Company(load(shipped("sales")), store))
    assert again.address == run.address
    expect(word).to_be_hidden()
    expect(rep.get_by_label("Name").first).to_have_value("Typed before the server ended")
    expect(rep.page).to_have_url(re.compile("view=form&entity=account"))
    rep.get_by_role("button", name="Create").click()
    expect(rep.page).to_have_url(re.compile("view=record"))
    assert again.company.door(again.company.actor(again.user("rep"))).count("account", "name == 'Typed before the server ended'") == 1
    again.halt()
    store.close()


def test_another_language_speaks_everywhere(sign_in):
    window = sign_in("service")
    window.goto("view=settings")
    window.get_by_role("button", name="Polski").click()
    expect(window.locator("html")).to_have_attribute("lang", "pl")
    window.goto()
    expect(window.get_by_role("heading", level=1)).to_contain_text(re.compile("^Dzień dobry|^Dobry wieczór"))
    window.goto("view=settings")
    window.get_by_role("button", name="English").click()
    expect(window.locator("html")).to_have_attribute("lang", "en")


def test_the_charity_runs_on_the_same_frame(sign_in, charity):
    window = sign_in("fundraiser", run=charity)
    window.goto()
    expect(window.get_by_role("navigation", name="Main").get_by_role("link", name="Donors")).to_be_visible()
    expect(window.get_by_role("heading", level=1)).to_contain_text("Good")
    assert window.errors == [] and window.outside == []
