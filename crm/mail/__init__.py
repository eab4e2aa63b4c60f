"""Mail: what the company writes to people. Templates are rendered here (`templates.py`) and messages handed to a server (`send.py`).

Nothing is sent from within a step: a mail is queued in the outbox (`crm.records.outbox.queue(company, "mail", payload, key)`) and the
worker composes and delivers it:

    message = compose(company, payload)     # None: there is nothing to say any more (the record is gone, the user switched off)
    deliver(settings(company), message)
"""

from crm.mail.send import NO_SERVER, Settings, Undelivered, deliver, settings
from crm.mail.templates import compose

__all__ = ["NO_SERVER", "Settings", "Undelivered", "compose", "deliver", "settings"]
