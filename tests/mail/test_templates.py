"""Mail templates: filled in the reader's language, through the rights of whoever writes and of the colleague who reads (B7)."""

from __future__ import annotations

import pytest

from crm.errors import Missing, Refused
from crm.mail import compose
from crm.mail.rendering import _fill, render
from crm.records import SYSTEM


@pytest.fixture
def matter(company, carl):
    made = carl.create("matter", {"name": "Roof & <gutter>", "fee": 250})
    company.door(SYSTEM).change("matter", made.id, {"secret": "the neighbour pays"})
    return made


def test_fields_are_written_in_the_language_and_escaped_in_html(company, carl, matter):
    said = render(company, "thanks", "matter", matter.id, by=carl.actor.id)
    assert said["subject"] == "About Roof & <gutter>"
    assert "Roof & <gutter> at €250, quite a sum." in said["text"] and said["text"].rstrip().endswith("Carl")
    assert "Roof &amp; &lt;gutter&gt;" in said["html"] and "<gutter>" not in said["html"]
    assert render(company, "thanks", "matter", matter.id, by=carl.actor.id, language="pl")["subject"] == "W sprawie Roof & <gutter>"


def test_a_sender_tells_nothing_they_may_not_see(company, carl, matter):
    assert "neighbour" not in render(company, "thanks", "matter", matter.id, by=carl.actor.id)["text"]
    assert "neighbour" in render(company, "thanks", "matter", matter.id, by=company.actor("anna").id)["text"]
    with pytest.raises(Missing):
        render(company, "thanks", "matter", matter.id, by=company.actor("cleo").id)


def test_a_colleague_reads_nothing_they_may_not_see(company, carl, matter):
    anna = company.actor("anna").id
    assert "neighbour" not in render(company, "thanks", "matter", matter.id, by=anna, to=carl.actor.id)["text"]
    cleo = company.actor("cleo").id
    assert compose(company, {"template": "thanks", "entity": "matter", "id": matter.id, "by": anna, "user": cleo}) is None


def test_a_payload_becomes_a_message(company, carl, matter):
    payload = {"template": "thanks", "entity": "matter", "id": matter.id, "by": carl.actor.id, "to": "ann@firm.example", "key": "k"}
    message = compose(company, payload)
    assert message["to"] == "ann@firm.example" and message["key"] == "k" and {"subject", "text", "html"} <= set(message)
    assert compose(company, {"to": "a@b.example", "subject": "Hi", "text": "x"}) == {"to": "a@b.example", "subject": "Hi", "text": "x"}
    assert compose(company, {"user": company.actor("anna").id, "subject": "Hi", "text": "x"})["to"] == "anna@test.example"
    carl.delete("matter", matter.id)
    assert compose(company, payload) is None


@pytest.mark.parametrize(
    "text",
    [
        "{{ name.__class__ }}",
        "{{ name._value }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ self.__init__.__globals__ }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{{ name.__str__.__globals__ }}",
        "{{ cycler }}{{ lipsum }}",
    ],
)
def test_a_template_reaches_nothing_but_what_is_handed_in(company, carl, matter, text):
    from crm.mail.rendering import Shown

    names = {
        "name": Shown(company, [carl], "matter", matter.id, carl.words)["name"],
        "m": Shown(company, [carl], "matter", matter.id, carl.words),
    }
    try:
        said = _fill(text, names, False)
    except Refused:
        return
    assert said.strip() == "", said


def test_a_template_that_never_ends_is_stopped(company):
    with pytest.raises(Refused):
        _fill("{% for a in 'x' * 3000 %}{% for b in 'y' * 3000 %}abcdefgh{% endfor %}{% endfor %}", {}, False)
