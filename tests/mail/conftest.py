"""A small company whose people have mail addresses, and a real mail server."""

from __future__ import annotations

import email
import socket
from email.policy import default

import pytest

CRM = """
extends: base
title: Test & Co
currency: EUR
languages: [en, pl]
timezone: Europe/Warsaw
mail: {from: "Test <crm@test.example>", address: "https://crm.test.example"}
activities: {entity: errand, subject: what, due: due, done: done, kind: kind, owner: who, duration: takes, repeat: again, repeat_every: each, repeat_until: last, rhythms: {nightly: daily}}
"""
ERRAND = """
entity: errand
title: "{what}"
subtitle: "{matter}"
owner: who
fields:
  what: {type: text, required: true}
  kind: {type: choice, default: job, options: [job, talk]}
  due: {type: datetime}
  done: {type: datetime}
  again: {type: choice, options: [nightly, weekly, monthly, yearly]}
  each: {type: integer}
  last: {type: date}
  who: {type: user, default: me}
  takes: {type: duration}
  matter: {type: link, to: matter, back: errands}
  note: {type: text}
"""
MATTER = """
entity: matter
title: "{name}"
owner: who
next: {on: next_on, text: next_what, open: state != 'shut'}
fields:
  name: {type: text, required: true}
  state: {type: choice, default: open, options: [open, shut]}
  who: {type: user, default: me}
  next_on: {type: date}
  next_what: {type: text}
  fee: {type: money}
  secret: {type: text}
"""
CLERK = """
role: clerk
rights:
  errand: {see: own, create: all, change: own, delete: own}
  matter: {see: own, create: all, change: own, delete: own, hide: [secret]}
  user: {see: all}
  team: {see: all}
"""
USER = """
entity: user
fields:
  role: {type: choice, required: true, options: {admin: Administrator, clerk: Clerk}}
"""
THANKS = """
mail: thanks
entity: matter
subject: "About {{ name }}"
text: |
  Dear client,
  we thank you for {{ name }} at {{ fee }}{% if fee > 100 %}, quite a sum{% endif %}.
  {% if secret %}Between us: {{ secret }}{% endif %}
  {{ me.name }}
"""
LABELS = """
mails: {thanks: {subject: "W sprawie {{ name }}"}}
"""
FILES = {
    "crm.yaml": CRM,
    "entities/errand.yaml": ERRAND,
    "entities/matter.yaml": MATTER,
    "entities/user.yaml": USER,
    "roles/clerk.yaml": CLERK,
    "mails/thanks.yaml": THANKS,
    "labels/pl.yaml": LABELS,
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("mail") / "config"
    for name, text in FILES.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    return place


@pytest.fixture
def company(folder, tmp_path):
    """Anna (admin), Carl and Cleo (clerks; Cleo reads Polish), all with an address; Gone was switched off."""
    from crm.records import SYSTEM, Company
    from crm.schema import load
    from crm.stores import open_store

    store = open_store(str(tmp_path / "crm.db"))
    company = Company(load(folder), store)
    door = company.door(SYSTEM)
    for login, role, language in (("anna", "admin", "en"), ("carl", "clerk", "en"), ("cleo", "clerk", "pl"), ("gone", "clerk", "en")):
        values = {"name": login.title(), "login": login, "role": role, "email": f"{login}@test.example", "language": language}
        door.create("user", {**values, "active": login != "gone"})
    yield company
    store.close()


@pytest.fixture
def carl(company):
    return company.door("carl")


class Box:
    """A real SMTP server and what it took: `mails` as parsed messages, with the envelope's recipients in `.to`. `refuse` is answered
    instead of taking the next mails."""

    def __init__(self) -> None:
        self.mails: list = []
        self.refuse = ""

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.refuse:
            return self.refuse
        mail = email.message_from_bytes(envelope.content, policy=default)
        mail.to = list(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 taken"


@pytest.fixture
def box(monkeypatch):
    """The mail server of `CRM_SMTP_URL` while a test runs."""
    from aiosmtpd.controller import Controller

    box = Box()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        monkeypatch.setenv("CRM_SMTP_URL", f"smtp://127.0.0.1:{port}")
        yield box
    finally:
        controller.stop()
