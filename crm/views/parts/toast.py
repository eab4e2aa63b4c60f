"""Short messages at the foot of the window, with Undo where something was changed."""

from crm.views.base import PARTS, Part


@PARTS.add
class Toast(Part):
    """`send("say", text=…, undo=step)`; the browser answers `undo` with the step."""

    words = ("Undo", "Close", "Messages", "Taking back…")
