"""services/*.yaml: what is promised to customers, in working time."""

from __future__ import annotations

import re

from crm.schema.faults import shorten
from crm.schema.language.common import CONDITION, FIELD, thing
from crm.schema.shapes import Expr, Flag, Key, ListOf, MapOf, Struct, Text


def _wrong_span(text: str) -> str | None:
    return None if span_minutes(text) is not None else f"'{shorten(text)}' is not a length of working time."


def span_minutes(text: str) -> int | None:
    """`4h`, `30min`, `1h 30min` as minutes."""
    found = re.fullmatch(r"\s*(?:(\d{1,4})\s*h)?\s*(?:(\d{1,5})\s*min)?\s*", text)
    return int(found[1] or 0) * 60 + int(found[2] or 0) if found is not None and (found[1] or found[2]) else None


def hours_of(text: str) -> tuple[int, int] | None:
    """`8:00-17:00` as minutes of the day; 24:00 is its end."""
    found = re.fullmatch(r"\s*(\d{1,2})[:.](\d\d)\s*[-–]\s*(\d{1,2})[:.](\d\d)\s*", text)
    if found is None:
        return None
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return (first, last) if first < last <= 1440 and int(found[2]) < 60 and int(found[4]) < 60 else None


def _wrong_hours(text: str) -> str | None:
    return None if hours_of(text) is not None else f"'{shorten(text)}' are no hours of a day."


def _wrong_day(text: str) -> str | None:
    from datetime import date

    try:
        date.fromisoformat(text if len(text) > 5 else f"2024-{text}")
        return None
    except ValueError:
        return f"'{shorten(text)}' is not a day."


SPAN = Text("length of time", _wrong_span, "E116", "Write hours and minutes of working time: `4h`, `30min`, `1h 30min`.")
DAYS_OF_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SERVICE = thing(
    "service",
    {
        "entity": Key(Text("entity"), "Whose records are promised something.", required=True, example="case"),
        "fields": Key(
            Struct(
                "roles of fields",
                {
                    "opened": Key(FIELD, "When the clock starts: a datetime.", required=True, example="opened_on"),
                    "respond_by": Key(FIELD, "Until when somebody answers: a datetime, kept by the engine.", example="answer_by"),
                    "responded": Key(FIELD, "When somebody did.", example="answered_on"),
                    "resolve_by": Key(FIELD, "Until when it is solved: a datetime, kept by the engine.", required=True, example="deadline"),
                    "resolved": Key(FIELD, "When it was.", required=True, example="closed_on"),
                    "waited": Key(FIELD, "How long the clock stood: a duration, kept by the engine.", example="waited"),
                    "waiting_since": Key(FIELD, "Since when it stands: a datetime, kept by the engine.", example="waiting_since"),
                },
                droppable=False,
            ),
            "Which field of the entity plays which role.",
            required=True,
        ),
        "waiting": Key(CONDITION, "While this holds the clock stands.", example="status == 'waiting'"),
        "done": Key(
            CONDITION, "When this begins to hold, `resolved` is filled; when it ends, emptied again.", example="status == 'solved'"
        ),
        "hours": Key(
            Struct(
                "working hours",
                {
                    day: Key(
                        ListOf(Text("hours", _wrong_hours, "E117", "Write from and to: `8:00-17:00`."), single=True),
                        f"Hours of a {day.capitalize()}.",
                        example="8:00-17:00",
                    )
                    for day in DAYS_OF_WEEK
                },
            ),
            "Working hours by weekday, in the company's time zone; a day without is free.",
            required=True,
            example="{monday: 8:00-17:00}",
        ),
        "holidays": Key(
            MapOf(
                ListOf(Text("day", _wrong_day, "E118", "Write it as 2026-12-24, or 12-24 for every year."), single=True),
                key="place",
                word="mapping of place to days",
            ),
            "Days nobody works, by place (`all` for everywhere).",
            example="{PL: [01-01, 05-01]}",
        ),
        "place": Key(Expr("formula"), "Which place's holidays count for a record.", example="account.address.country"),
        "goals": Key(
            ListOf(
                Struct(
                    "goal",
                    {
                        "when": Key(CONDITION, "For which records; without it for all others.", example="priority == 'urgent'"),
                        "respond": Key(SPAN, "Working time until somebody answers.", example="4h"),
                        "resolve": Key(SPAN, "Working time until it is solved.", example="24h"),
                        "always": Key(Flag(), "Day and night: every hour counts."),
                    },
                )
            ),
            "What is promised: the first that holds.",
            required=True,
            example="[{respond: 4h, resolve: 24h}]",
        ),
    },
    example="support",
)
