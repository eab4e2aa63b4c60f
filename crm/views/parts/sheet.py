"""Small dialogs with fields: quick add, log a call, what a gate wants, confirm."""

from crm.views.base import PARTS, Editing


@PARTS.add
class Sheet(Editing):
    """`send("open", sheet={key, title, text, fields, submit, cancel, …})`; several lie on one another. Answers `save`, `close`, `changed`."""

    words = ("Close", "Required", "{n} fields need a look.", "Saving…")
