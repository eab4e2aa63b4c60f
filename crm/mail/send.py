"""Handing a message to the mail server, over SMTP.

The server stands in the environment: `CRM_SMTP_URL=smtp://user:password@mail.example.org:587` (`smtps://` for TLS from the first
byte; `smtp://` takes STARTTLS where the server offers it and never sends a password without it, except to this machine).
Who mails come from is `mail: {from: …}` in crm.yaml.
"""

from __future__ import annotations

import hashlib
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from crm.errors import Refused, Said

if TYPE_CHECKING:
    from crm.records.company import Company

#: What is said where none is set: a message is given up at once then, so that nothing old goes out on the day there is one.
NO_SERVER = "No mail server is set. Put its address into CRM_SMTP_URL."
#: Seconds until a server that says nothing is given up.
TIMEOUT = 30.0
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Undelivered(Said):
    """A message was not taken. `lasting`: trying again would not help (the address is refused)."""

    def __init__(self, text: str, lasting: bool = False, /, **values: Any) -> None:
        super().__init__(text, **values)
        self.lasting = lasting


@dataclass(frozen=True)
class Settings:
    """Where mail is handed over and whom it comes from; `tls` from the first byte, else STARTTLS when offered."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: bool = False


def settings(company: Company) -> Settings | None:
    """The mail server of `CRM_SMTP_URL`; None where there is none, so that nothing can be sent. Raises `Refused` for a bad one."""
    url = os.environ.get("CRM_SMTP_URL", "").strip()
    if not url:
        return None
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1:
        raise Refused("CRM_SMTP_URL is not the address of a mail server. Write it as smtp://user:password@mail.example.org:587.")
    tls = parts.scheme == "smtps"
    host = parts.hostname
    sender = company.schema.mail.sender or f"{company.schema.title} <crm@{host if '.' in host else 'localhost'}>"
    return Settings(host, port or (465 if tls else 587), sender, unquote(parts.username or ""), unquote(parts.password or ""), tls)


def message_of(settings: Settings, message: Mapping[str, Any]) -> EmailMessage:
    """The mail as it is sent: `to` (one address or several), `subject`, `text` and, where there is one, `html` beside it with its `images`
    ({name: PNG}, shown as `cid:name`); `files` are attached ((name, type, bytes) each).

    The same `key` always gives the same Message-ID, so that a mail sent a second time after a crash is known for what it is.
    """
    mail = EmailMessage(policy=SMTP)
    to = message["to"]
    mail["From"] = _line(message.get("from") or settings.sender)
    mail["To"] = ", ".join(_line(one) for one in ([to] if isinstance(to, str) else to))
    mail["Subject"] = _line(message.get("subject") or "")
    mail["Date"] = formatdate()
    domain = parseaddr(settings.sender)[1].rpartition("@")[2] or "localhost"
    said = str(message.get("key") or repr(sorted((name, str(value)) for name, value in message.items())))
    mail["Message-ID"] = f"<{hashlib.sha256(said.encode()).hexdigest()[:32]}@{domain}>"
    if message.get("reply_to"):
        mail["Reply-To"] = _line(message["reply_to"])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(str(message.get("text") or ""))
    if message.get("html"):
        mail.add_alternative(str(message["html"]), subtype="html")
        page = mail.get_body(("html",))
        assert page is not None
        for name, picture in (message.get("images") or {}).items():
            page.add_related(picture, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline")
    for name, kind, content in message.get("files") or ():
        main, _, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail


def deliver(settings: Settings | None, message: Mapping[str, Any]) -> str:
    """Hand one message to the server; its Message-ID comes back. Raises `Undelivered` when it was not taken."""
    if settings is None:
        raise Undelivered(NO_SERVER, True)
    try:
        mail = message_of(settings, message)
    except (ValueError, KeyError, IndexError) as error:
        raise Undelivered("The message cannot be sent: {why}", True, why=str(error)) from error
    context = ssl.create_default_context()
    try:
        server: smtplib.SMTP
        if settings.tls:
            server = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT)
        with server:
            server.ehlo()
            safe = settings.tls or settings.host in LOCAL
            if not settings.tls and not safe and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                safe = True
            if settings.user:
                if not safe:
                    raise Undelivered("The mail server offers no encryption, so the password is not sent to it.")
                server.login(settings.user, settings.password)
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise Undelivered("The mail server refuses the address.", all(code >= 500 for code in codes)) from error
    except smtplib.SMTPResponseException as error:
        lasting = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
        raise Undelivered("The mail server did not take the message ({code}).", lasting, code=error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered("The mail server cannot be reached: {why}", why=str(error)) from error
    return str(mail["Message-ID"])


def _line(text: Any) -> str:
    """A header's text on one line: what a record holds must not begin a header of its own."""
    return " ".join(str(text).split())
