"""The search box over everything: jump to a record, a view or a command, while typing."""

from crm.views.base import PARTS, Part


@PARTS.add
class Command(Part):
    """Opens on Ctrl K or /; `find(text)` answers {"groups": [{label, items: [{key, title, sub, glyph, href | act}]}]}."""

    words = ("Search or jump to…", "Search", "Nothing found. Try fewer letters.", "Searching…", "Recently opened", "Choose", "Open", "Close", "{n} results",
             "A name, a phone number, a word from a note…")
