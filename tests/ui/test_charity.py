"""The charity: every page stands and fits a phone, nothing keeps anybody out in light or dark, the navigation of every role leads somewhere."""

from __future__ import annotations

from tests.ui.walk import Walk, every_page, every_role


def test_every_page_stands_alone_and_fits_a_phone(sign_in, charity):
    walk = Walk(sign_in("admin", run=charity))
    read = every_page(walk, charity, charity.user("admin"))
    walk.wide()
    walk.window.dark(True)
    for query in read:
        walk.to(query, phone=False)
        walk.read(f"dark: {query}")
    assert not walk.wrong, "\n".join(walk.wrong)


def test_the_home_and_the_navigation_of_every_role_stand(sign_in, charity):
    every_role(sign_in, charity)
