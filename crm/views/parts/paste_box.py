"""Text pasted from a mail or a card becomes a record."""

from crm.views.base import PARTS, Part


@PARTS.add
class PasteBox(Part):
    """Opened by the message `open`; asks `read`, `create`, `fill` and `use` with the text. Content {title, create, use}."""

    name = "paste_box"
    words = (
        "Signature, card or mail", "Paste a signature, the text of a card or a whole mail here.", "Nobody was found in this text.", "It may be one that is already there",
        "Would fill", "Nothing is missing there.", "Fill in", "Cancel", "Create", "Close",
    )  # fmt: skip
