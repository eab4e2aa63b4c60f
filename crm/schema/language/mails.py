"""mails/*.yaml: mails ready to be written."""

from __future__ import annotations

from crm.schema.language.common import thing
from crm.schema.shapes import Key, Text

MAIL = thing(
    "mail",
    {
        "entity": Key(Text("entity"), "The entity whose fields it names.", example="opportunity"),
        "subject": Key(Text("text"), "The subject line: a Jinja template.", required=True, example="'Our talk about {{ name }}'"),
        "text": Key(
            Text("text"),
            "What it says: a Jinja template over the fields (`{{ account.city }}`), `me`, `you`, `today`, `link`.",
            required=True,
            example="'Dear {{ contact }}, thank you. {{ me.name }}'",
        ),
        "html": Key(Text("text"), "The same in HTML; made from the text when absent."),
    },
    example="thanks",
    word="mail template",
)
