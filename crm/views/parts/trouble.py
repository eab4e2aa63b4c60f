"""A page that says what went wrong and how to go on."""

from crm.views.base import PARTS, Part


@PARTS.add
class Trouble(Part):
    """content {glyph, title, text, note, restore}; says `restore` when the record that was deleted shall come back."""

    words = ("Go home", "Search", "Back", "Restore")
