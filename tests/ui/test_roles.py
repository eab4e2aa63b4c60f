"""Everybody's home stands and fits a phone, and where their navigation leads there is a page."""

from __future__ import annotations

from tests.ui.walk import every_role


def test_the_home_and_the_navigation_of_every_role_stand(sign_in, server):
    every_role(sign_in, server)
