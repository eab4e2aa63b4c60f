"""Signing in and out: passwords, throttling, cookies, and where one gets to."""

from __future__ import annotations

import json
import logging
import re

import httpx
import pytest

from crm.errors import Refused
from crm.server import passwords as passwords_module
from crm.server.passwords import check_strength
from crm.server.site import agent_name, safe_target
from crm.server.throttle import LIMITS, WINDOW, Throttle, network
from tests.server.conftest import GOOD


def test_the_right_password_opens_the_app(place):
    browser = place.browser()
    answer = browser.sign_in("carl")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("login", ["carl", "CARL", " carl "])
def test_the_name_is_taken_in_any_case(place, login):
    assert place.browser().sign_in(login).status_code == 303


@pytest.mark.parametrize(
    "login, password", [("carl", "wrong"), ("nobody", GOOD), ("gone", GOOD), ("", ""), ("carl", ""), ("carl", GOOD + " ")]
)
def test_everything_else_is_refused_in_the_same_words(place, login, password):
    browser = place.browser()
    answer = browser.sign_in(login, password)
    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert place.site.sessions.cookie not in answer.headers.get("set-cookie", "")
    assert browser.get("/").status_code == 303


def test_an_unknown_name_costs_as_much_as_a_known_one(place, monkeypatch):
    """One verification of the same cost is made in both cases: that is what takes the time."""
    seen = []

    class Watched:
        def verify(self, hashed, given):
            seen.append(hashed.split("$")[3])
            return passwords_module.PasswordHasher().verify(hashed, given)

        check_needs_rehash = passwords_module.HASHER.check_needs_rehash
        hash = passwords_module.HASHER.hash

    monkeypatch.setattr(passwords_module, "HASHER", Watched())
    place.browser().sign_in("carl", "wrong")
    place.browser().sign_in("nobody", "wrong")
    assert len(seen) == 2 and seen[0] == seen[1]


def test_passwords_are_kept_as_argon2id_and_nowhere_else(place):
    kept = place.company.store.table("_user_secret").all()
    assert kept and all(doc["hash"].startswith("$argon2id$") for doc in kept)
    everything = json.dumps([change.patch for change in place.company.store.changes()])
    assert "argon2" not in everything and GOOD not in everything


def test_a_sign_in_is_kept_as_a_hash_and_leaves_no_history(place):
    browser = place.browser("carl")
    token = dict(part.split("=", 1) for part in browser.cookie.split("; "))[place.site.sessions.cookie]
    kept = place.company.store.table("_session").all()
    assert kept and token not in json.dumps(kept)
    assert not [change for change in place.company.store.changes() if change.table.startswith(("_session", "_throttle", "_user_secret"))]


def test_a_sign_in_always_gets_a_new_token(place):
    """Session fixation: what the browser brought along before does not become the sign-in."""
    name = place.site.sessions.cookie
    browser = place.browser()
    browser.http.cookies.set(name, "planted-by-somebody")
    browser.sign_in("carl")
    values = [cookie.value for cookie in browser.http.cookies.jar if cookie.name == name and cookie.value != "planted-by-somebody"]
    assert values and place.site.sessions.of_token("planted-by-somebody") is None
    first = values[-1]
    browser = place.browser("carl")
    assert first not in browser.cookie


def test_signing_in_over_another_sign_in_ends_that_one(place):
    browser = place.browser("carl")
    old = browser.cookie
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', place.browser().get("/signin").text))
    assert form
    other = place.browser()
    fields = other.form()
    other.http.cookies.update(browser.http.cookies)
    assert other.post("/signin", {**fields, "login": "cleo", "password": GOOD}).status_code == 303
    assert httpx.get(place.address + "/", headers={"cookie": old, "accept": "text/html"}, timeout=120).status_code == 303


def test_the_cookie_is_for_the_server_only(place):
    answer = place.browser().sign_in("carl")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(place.site.sessions.cookie))
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=lax"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_over_https_the_cookie_is_secure_and_the_browser_is_told_to_stay(place):
    """Behind a proxy on this machine that says so."""
    with httpx.Client(
        base_url=place.address, headers={"x-forwarded-proto": "https", "origin": place.address.replace("http", "https")}, timeout=120
    ) as client:
        page = client.get("/signin")
        assert "max-age" in page.headers["strict-transport-security"]
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        cookie = page.headers["set-cookie"]
        assert "secure" in cookie.lower()
        answer = client.post("/signin", data={**form, "login": "carl", "password": GOOD}, headers={"cookie": cookie.split(";")[0]})
        assert answer.status_code == 303
        assert all("secure" in line.lower() for line in answer.headers.get_list("set-cookie"))


def test_signing_out_ends_it_on_the_server(place):
    browser = place.browser("carl")
    old = browser.cookie
    assert browser.get("/signout").status_code == 200
    assert browser.get("/").status_code == 200, "looking at the page signs nobody out"
    assert browser.post("/signout").headers["location"] == "/signin"
    assert httpx.get(place.address + "/", headers={"cookie": old, "accept": "text/html"}, timeout=120).status_code == 303


def test_sign_in_needs_the_form_it_was_shown(place):
    browser = place.browser()
    assert browser.post("/signin", {"login": "carl", "password": GOOD}).status_code == 403
    form = place.browser().form()
    assert browser.post("/signin", {**form, "login": "carl", "password": GOOD}).status_code == 403


# ---- throttling --------------------------------------------------------------------------------------------------------------


def test_guessing_is_stopped_even_for_the_right_password(place):
    browser = place.browser()
    codes = [browser.sign_in("carl", f"wrong {n}").status_code for n in range(LIMITS["pair"])]
    assert codes == [401] * LIMITS["pair"]
    answer = browser.sign_in("carl", GOOD)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert place.browser().sign_in("cleo", GOOD).status_code == 303


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def throttle(tmp_path):
    from crm.stores import open_store

    store = open_store(str(tmp_path / "t.db"))
    yield Throttle(store, Clock())
    store.close()


def test_a_success_forgets_the_failures(throttle):
    for _ in range(LIMITS["pair"] - 1):
        assert throttle.begin("carl", "1.1.1.1") == 0
    throttle.succeed("carl", "1.1.1.1")
    assert [throttle.begin("carl", "1.1.1.1") for _ in range(LIMITS["pair"])] == [0] * LIMITS["pair"]
    assert throttle.begin("carl", "1.1.1.1") > 0


def test_one_name_from_many_addresses_is_stopped(throttle):
    waits = [throttle.begin("carl", f"10.0.0.{n}") for n in range(LIMITS["login"] + 1)]
    assert waits[:-1] == [0] * LIMITS["login"] and waits[-1] > 0
    assert throttle.begin("anna", "10.0.0.1") == 0


def test_one_address_with_many_names_is_stopped(throttle):
    waits = [throttle.begin(f"user{n}", "10.0.0.1") for n in range(LIMITS["address"] + 1)]
    assert waits[:-1] == [0] * LIMITS["address"] and waits[-1] > 0
    assert throttle.begin("user1", "10.0.0.2") == 0


def test_time_opens_the_door_again_and_the_store_remembers(throttle):
    for _ in range(LIMITS["pair"]):
        throttle.begin("carl", "1.1.1.1")
    again = Throttle(throttle.store, throttle.clock)
    assert 0 < again.begin("carl", "1.1.1.1") <= WINDOW
    throttle.clock.now += WINDOW + 1
    assert again.begin("carl", "1.1.1.1") == 0
    throttle.clock.now += WINDOW + 1
    again.sweep()
    assert not again.table.all()


def test_what_was_typed_as_a_name_is_not_kept(throttle):
    throttle.begin("my secret password", "1.1.1.1")
    assert "secret" not in json.dumps(throttle.table.all())


def test_an_ipv6_network_counts_as_one():
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")
    assert network("::ffff:10.0.0.1") == network("10.0.0.1") == "10.0.0.1"
    assert network("testclient") == "testclient"


# ---- passwords ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password", ["short", "x" * 9, "aaaaaaaaaaaa", "carl12", "carlcarl", "Password123", "1234567890", "x" * 300, "carlcarl1x"]
)
def test_weak_passwords_are_refused(password):
    with pytest.raises(Refused):
        check_strength(password, "carlcarl" if "carl" in password else "carl")


@pytest.mark.parametrize("password", ["correct horse battery", "ęółśążźćń-12", "carl has a dog", "x1!" * 5 + "y"])
def test_good_passwords_are_taken(password):
    check_strength(password, "carl")


def test_changing_the_password_ends_the_other_sign_ins(place):
    here, there = place.browser("cleo"), place.browser("cleo")
    new = "an entirely new secret"
    try:
        assert (
            "The present password is wrong."
            in here.post("/password", {**here.form("/password"), "old": "no", "new": new, "again": new}).text
        )
        assert "differ" in here.post("/password", {**here.form("/password"), "old": GOOD, "new": new, "again": new + "x"}).text
        assert "At least" in here.post("/password", {**here.form("/password"), "old": GOOD, "new": "short", "again": "short"}).text
        assert there.get("/").status_code == 200
        assert here.post("/password", {**here.form("/password"), "old": GOOD, "new": new, "again": new}).status_code == 303
        assert here.get("/").status_code == 200
        assert there.get("/").status_code == 303
        assert place.browser().sign_in("cleo", GOOD).status_code == 401
        assert place.browser().sign_in("cleo", new).status_code == 303
    finally:
        place.site.passwords.set(place.users["cleo"], GOOD)


def test_signing_out_everywhere(place):
    here, there = place.browser("cleo"), place.browser("cleo")
    csrf = here.form("/password")["csrf"]
    assert here.post("/signout", {"everywhere": "1"}).status_code == 403
    assert here.post("/signout", {"everywhere": "1", "csrf": csrf}).status_code == 303
    assert here.get("/").status_code == 303 and there.get("/").status_code == 303


# ---- sessions ----------------------------------------------------------------------------------------------------------------


def test_a_sign_in_expires(tmp_path):
    from crm.server.sessions import IDLE, LONGEST, TOUCH, Sessions
    from crm.stores import open_store

    store = open_store(str(tmp_path / "s.db"))
    clock = Clock()
    sessions = Sessions(store, lambda user: True, clock)
    token, _ = sessions.begin(7)
    clock.now += IDLE - 10
    assert sessions.of_token(token).user == 7
    clock.now += IDLE - 10
    assert sessions.of_token(token) is not None, "being there keeps it alive"
    clock.now += IDLE + TOUCH
    assert sessions.of_token(token) is None
    token, _ = sessions.begin(7)
    for _ in range(LONGEST // (IDLE // 2)):
        clock.now += IDLE // 2
        sessions.of_token(token)
    assert sessions.of_token(token) is None, "but not for ever"
    sessions.sweep()
    assert not sessions.table.all()
    store.close()


def test_another_process_ends_a_sign_in(tmp_path):
    from crm.server.sessions import Sessions
    from crm.stores import open_store

    here, there = open_store(str(tmp_path / "s.db")), open_store(str(tmp_path / "s.db"))
    mine, theirs = Sessions(here, lambda user: True), Sessions(there, lambda user: True)
    assert mine.secret == theirs.secret
    token, visit = mine.begin(7)
    assert mine.of_token(token) and theirs.of_token(token)
    theirs.end_all(7)
    assert mine.of_token(token) is None
    here.close()
    there.close()


# ---- where to ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "", "/a\r\nSet-Cookie: x=1", "/\t/evil.example",
     "/signin?next=/signin", "/signout", " /x", "http:evil", "/\x00"],
)  # fmt: skip
def test_sign_in_leads_to_our_own_pages_only(target):
    assert safe_target(target) == "/"


@pytest.mark.parametrize("target", ["/", "/?view=record&entity=thing&id=3", "/files/thing/1/papers/0", "/?q=%C5%82%C3%B3d%C5%BA"])
def test_and_to_the_page_that_was_asked_for(target):
    assert safe_target(target) == target


def test_the_page_asked_for_comes_after_sign_in(place):
    browser = place.browser()
    target = browser.get("/?view=record&entity=thing&id=3").headers["location"]
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', browser.get(target).text.split("</form>")[0]))
    answer = browser.post("/signin", {**{k: v.replace("&amp;", "&") for k, v in form.items()}, "login": "carl", "password": GOOD})
    assert answer.headers["location"] == "/?view=record&entity=thing&id=3"


# ---- the page ----------------------------------------------------------------------------------------------------------------


def test_the_page_needs_no_script_no_file_and_escapes_what_it_shows(place):
    browser = place.browser()
    markup = '"><script>alert(1)</script>'
    page = browser.post("/signin", {**browser.form(), "login": markup, "password": "x"})
    assert "<script" not in page.text and "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src" not in policy and "default-src 'none'" in policy and "style-src 'sha256-" in policy
    assert not re.search(r'(?:src|href)="(?!data:|/)', page.text)
    assert "Test &amp; Co" in page.text


def test_the_style_is_the_one_the_policy_allows(place):
    import base64
    import hashlib

    page = place.browser().get("/signin")
    style = re.search(r"<style>(.*?)</style>", page.text, re.S)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page.headers["content-security-policy"]


def test_the_page_speaks_the_language_of_the_browser(place):
    assert '<html lang="pl"' in place.browser().get("/signin", headers={"accept-language": "pl-PL,pl;q=0.9,en;q=0.8"}).text
    assert '<html lang="en"' in place.browser().get("/signin", headers={"accept-language": "fi"}).text


def test_the_page_has_what_password_managers_and_screen_readers_need(place):
    text = place.browser().get("/signin").text
    assert 'autocomplete="username"' in text and 'autocomplete="current-password"' in text
    assert '<label for="login">' in text and '<label for="password">' in text
    assert 'role="alert"' in place.browser().sign_in("carl", "wrong").text
    assert 'name="viewport"' in text and "light-dark(" in text and "color-scheme" in text


def test_no_password_reaches_the_log(place, caplog):
    with caplog.at_level(logging.INFO, "crm"):
        place.browser().sign_in("carl", "wrong but private")
    assert "private" not in caplog.text and "refused" in caplog.text


def test_browsers_have_names():
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
    assert agent_name(chrome) == "Chrome, Linux" and agent_name("") == "?"
