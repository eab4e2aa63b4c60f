"""The edge of a view in a notebook: where one is, the way back, and a word when Python no longer answers."""

import param

from crm.views.base import PARTS, Part


@PARTS.add
class Window(Part):
    """content {title, crumbs: [{label, href}], icons: address of the icon font, back: whether there is somewhere to go back to}; `query`
    is the page's address, as in the app."""

    query = param.String("", doc="What stands behind the ? of the app's address.")
    words = ("Back", "Path", "Python does not answer: this is how the view was when its cell ran. Run the cell again to work in it.")

    def on_alive(self) -> dict:
        """Asked by the browser to see whether the kernel is there."""
        return {"alive": True}
