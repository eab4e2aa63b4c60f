"""The whole form of one thing: groups as the YAML says, drafts that survive, messages beside the fields."""

from crm.views.base import PARTS, Editing


@PARTS.add
class Form(Editing):
    """content {title, glyph, groups: [{key, label, rows: [[field]]}], draft (key of the kept input), submit, back, watch, new, wide?}.

    Asks `changed` {values, touched} → {groups?, hidden, required, shown: {field: text}, problems, found: [{title, href}]} and
    `save` {values} → {href} or {error, problems}."""

    words = ("Required", "Save", "Saving…", "Cancel", "One field needs a look.", "{n} fields need a look.", "What you typed before is still here.", "Discard", "Kept on this device",
             "Looks like one that is already there:", "Go to the field", "Unsaved input is kept on this device.", "Ctrl Enter saves", "Paste a signature")
