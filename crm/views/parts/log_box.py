"""The composer as a dialog: a call logged from any list, board or search in two clicks and one sentence."""

from crm.views.base import PARTS
from crm.views.parts.composer import Composer


@PARTS.add
class LogBox(Composer):
    """Opened by the message `open`; content is the composer's with a `title`."""

    name = "log_box"
    words = (*Composer.words, "Close")
