"""Every page of the sales configuration: nothing is asked of another address, nothing fails, nothing is wider than a phone, and nothing in light
keeps anybody out (`test_markup` reads the same pages in dark)."""

from __future__ import annotations

from tests.ui.walk import Walk, every_page


def test_every_page_stands_alone_and_fits_a_phone(sign_in, server):
    walk = Walk(sign_in("admin"))
    every_page(walk, server, server.user("admin"))
    assert not walk.wrong, "\n".join(walk.wrong)
    assert any(url.startswith(server.address.replace("http", "ws") + "/ws") for url in walk.window.requests)           # websockets are seen, too


def test_a_websocket_to_elsewhere_is_seen(sign_in, server):
    window = sign_in("admin")
    window.page.route("**/*", lambda route: route.fulfill(body="<p>a page without a policy</p>", content_type="text/html"))
    window.page.goto(server.address)
    with window.page.expect_websocket():
        window.page.evaluate("() => { new WebSocket('ws://127.0.0.1:65001/elsewhere') }")
    assert window.outside == ["ws://127.0.0.1:65001/elsewhere"]
