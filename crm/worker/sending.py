"""Sends what waits in the outbox: mails over SMTP, webhooks over HTTP.

What is guaranteed. A row is in the outbox exactly when the step that caused it was committed, once per key. The worker marks it
`sending` (a commit), hands it over, and marks it `sent` (a commit). So:

* Nothing is lost: a row is left alone only when it is marked `sent`, `withdrawn`, or `dead` (given up after `TRIES`; admins are told).
* A worker killed before the first mark has sent nothing; killed after the second, it sends nothing again.
* A worker killed between the two may or may not have handed it over, and no sender can know. The row is found `sending` by the next
  worker and sent once more, under the same key: a mail has the same Message-ID, a webhook the same `webhook-id` and `Idempotency-Key`.
  Whoever receives twice can tell and drop the second. So delivery is at least once, and exactly once for receivers that look at the key.
  What is better left out than said twice (a payload with `once`, such as the morning mail) is not sent again: at most once.
* Some messages take long to make: a meeting pack, a row for each of its readers. They are made one at a time, after everything that is
  quickly said, and a worker killed in the middle of one has sent nothing yet: the next one makes it anew. One that ended `TRIES` workers
  is given up.

Webhooks are signed as Standard Webhooks (standardwebhooks.com) describes: headers `webhook-id`, `webhook-timestamp` and
`webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`. The key is in the environment variable the YAML names; one
that begins with `whsec_` is base64 behind that, any other is taken as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Refused, Said
from crm.records.company import stamp
from crm.records.outbox import DEAD, OUTBOX, SENDING, SENT, WAITING, WITHDRAWN

if TYPE_CHECKING:
    import httpx

    from crm.records.company import Company

log = logging.getLogger("crm.worker")

#: So often one message is tried; the first pause in seconds, doubled each time, and the longest.
TRIES = 10
PAUSE, LONGEST = 30.0, 6 * 3600.0
#: Seconds a receiver has to answer, and the part of its answer that is kept.
TIMEOUT = 10.0
KEPT = 200


class Refusal(Said):
    """A message was not taken; `lasting`: trying again would not help."""

    def __init__(self, text: str, lasting: bool = False, /, **values: Any) -> None:
        super().__init__(text, **values)
        self.lasting = lasting


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The signature of a webhook, as its header holds it."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@lru_cache(maxsize=1)
def client() -> httpx.Client:
    """One for all addresses: it keeps connections open. It follows no redirection: the address is the one in the YAML."""
    import httpx

    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)


def send_webhook(company: Company, payload: Mapping[str, Any], key: str) -> None:
    """Post a message to its address; raises `Refusal` for anything but a 2xx answer."""
    import httpx

    secret = os.environ.get(str(payload.get("secret") or ""), "")
    if not secret:
        raise Refusal("The key {name} is not in the environment.", name=str(payload.get("secret")))
    id = "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]
    body = json.dumps({**payload["body"], "key": id}, ensure_ascii=False, separators=(",", ":")).encode()
    now = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "crm-worker",
        "idempotency-key": id,
        "webhook-id": id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, id, now, body),
    }
    try:
        answer = client().post(str(payload["url"]), content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refusal("The address cannot be reached: {why}", why=f"{type(error).__name__} {error}"[:KEPT]) from error
    if not 200 <= answer.status_code < 300:
        raise Refusal("The address answered {code}: {text}", answer.status_code == 410, code=answer.status_code, text=answer.text[:KEPT])


def send_mail(company: Company, payload: Mapping[str, Any], key: str) -> bool | None:
    """Compose a mail and hand it to the mail server; False when there is nothing to say any more."""
    from crm.mail import Undelivered, deliver, settings

    message = composed(company, {**payload, "key": key})
    if message is None:
        return False
    try:
        deliver(settings(company), {**message, "key": key})
    except Undelivered as error:
        raise Refusal(error.text, error.lasting, **error.values) from error
    return None


def composed(company: Company, payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message a payload means: of a meeting pack, or of what `crm.mail` writes."""
    if "pack" in payload:
        from crm.documents.mailing import compose as pack

        return pack(company, payload)
    from crm.mail import compose

    return compose(company, payload)


CHANNELS: dict[str, Callable[[Any, Mapping[str, Any], str], bool | None]] = {"mail": send_mail, "webhook": send_webhook}  # type: ignore[dict-item]


def send_due(company: Company, now: datetime | None = None, stop: Callable[[], bool] = lambda: False) -> int:
    """Send everything that is due; how many were taken. Only the holder of the lease may call this: whatever it finds `sending` was left
    by a worker that is gone."""
    table = company.store.table(OUTBOX)
    left = table.ids(where("state") == SENDING)
    if left:
        rows = table.get(doc_ids=left)
        once = [doc.doc_id for doc in rows if doc["payload"].get("once")]
        worn = [doc.doc_id for doc in rows if doc["tries"] >= TRIES and "pack" in doc["payload"]]
        with company.store.transaction():
            table.update({"state": WAITING, "unsure": True}, doc_ids=left)
            table.update({"state": SENT, "sent": stamp(now or company.now())}, doc_ids=once)
            for id in worn:
                _failed(company, id, "The worker ended each time it was sent.", {}, TRIES, True, now)
        log.warning("%s messages may have been sent before a worker ended; they are sent again under the same keys", len(left))
    taken = 0
    while not stop():
        due = (where("state") == WAITING) & (where("due") <= stamp(now or company.now()))
        slow = where("payload").pack.exists()
        ids = table.ids(due & ~slow, order_by=["due"], limit=50) or table.ids(due & slow, order_by=["due"], limit=1)
        if not ids:
            break
        for id in ids:
            if stop():
                break
            taken += send(company, id, now)
    return taken


def send(company: Company, id: int, now: datetime | None = None) -> bool:
    """One row of the outbox; whether it was taken."""
    table = company.store.table(OUTBOX)
    with company.store.transaction():
        row = table.get(doc_id=id)
        if row is None or row["state"] != WAITING:
            return False
        tries = row["tries"] + 1
        table.update({"state": SENDING, "tries": tries}, doc_ids=[id])
    try:
        done = CHANNELS[row["channel"]](company, row["payload"], row["key"])
    except (Refusal, Refused) as error:
        give_up = tries >= TRIES or getattr(error, "lasting", False)
        _failed(company, id, error.text, {name: str(value) for name, value in error.values.items()}, tries, give_up, now)
        return False
    except Exception as error:  # a fault of ours must not stop the others
        log.exception("outbox row %s", id)
        _failed(company, id, "{why}", {"why": f"{type(error).__name__}: {error}"[:KEPT]}, tries, tries >= TRIES, now)
        return False
    state = WITHDRAWN if done is False else SENT
    table.update({"state": state, "sent": stamp(now or company.now()), "text": None, "values": None}, doc_ids=[id])
    return state == SENT


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries."""
    return timedelta(seconds=min(PAUSE * 2 ** (tries - 1), LONGEST))


def _failed(company: Company, id: int, text: str, values: dict[str, str], tries: int, give_up: bool, now: datetime | None) -> None:
    from crm.mail import NO_SERVER
    from crm.records.notices import notify

    with company.store.transaction():
        row: dict[str, Any] = {"state": DEAD if give_up else WAITING, "text": text, "values": values}
        if not give_up:
            row["due"] = stamp((now or company.now()) + pause(tries))
        company.store.table(OUTBOX).update(row, doc_ids=[id])
        if give_up:
            said, key = "A message could not be sent and was given up. See Automations.", f"outbox-dead-{id}-{tries}"
            if text == NO_SERVER:  # once a day is enough
                said, key = "Mails are not sent: no mail server is set. See Automations.", f"outbox-no-server-{company.today()}"
            for user in admins(company):
                notify(company, user, said, key=key)
    log.warning("outbox row %s: %s", id, text, extra={"tries": tries, "given_up": give_up})


def admins(company: Company) -> list[int]:
    """The users who look after the system."""
    return [user for name, role in company.schema.roles.items() if role.admin for user in company.people.with_role(name)]
