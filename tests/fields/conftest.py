"""A small configuration for field types that need one: two pipelines, users, teams."""

from types import SimpleNamespace

import pytest


def stage(label, outcome=None, color=None, was=()):
    return SimpleNamespace(label=label, outcome=outcome, color=color, was=list(was))


def make_schema():
    """What the fields ask of a schema, and no more."""
    short = {"offer": stage("Offer"), "won": stage("Signed", "won", was=["closed"]), "lost": stage("Gone", "lost")}
    long = {"offer": stage("Proposal"), "talk": stage("Talks", color="purple"), "won": stage("Won", "won")}
    pipelines = {
        "short": SimpleNamespace(name="short", label="Short sale", entity="deal", stages=short),
        "long": SimpleNamespace(name="long", label="Long sale", entity="deal", stages=long),
    }
    return SimpleNamespace(
        currency="EUR",
        users=SimpleNamespace(entity="person"),
        teams=SimpleNamespace(entity="group"),
        pipelines=pipelines,
        entities={
            "deal": SimpleNamespace(name="deal", fields={}, pipelines=["short", "long"]),
            "thing": SimpleNamespace(pipelines=[], fields={}),
        },
    )


@pytest.fixture
def schema():
    return make_schema()
