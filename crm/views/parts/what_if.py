"""Levers over the forecast: what they would do, at once."""

from crm.views.base import PARTS, Part


@PARTS.add
class WhatIf(Part):
    """Content {title, help, levers: [{name, label, help, least, most, step, value, plain}], result: {tiles, fan, says, plain}, assumptions,
    scenarios: [{id, name, sub, who, levers, may, href}], may, keeps}; asks `turn` {levers} → {result}, `open` {id} → {levers, result},
    `keep` {name, levers, id}, `drop` {id}, `compare` {ids} → {columns, rows}, `notebook` {levers}."""

    name = "what_if"
    words = (
        "Levers",
        "As things are",
        "Likely, eight of ten between",
        "Result",
        "Reset",
        "Save as a scenario",
        "Name of the scenario",
        "Save",
        "Scenarios",
        "Compare",
        "Choose two or more to see them side by side.",
        "No scenario is kept yet. Set the levers and save them under a name.",
        "Remove",
        "Save over it",
        "Open in notebook",
        "Saved as {name}",
        "Forecast",
        "What is taken for granted",
        "Side by side",
        "Open",
    )
