"""Navigation, top bar, phone bar, the address of the page, the word when the connection is gone."""

import param

from crm.views.base import PARTS, Part


@PARTS.add
class Frame(Part):
    """content {brand, groups: [{label, items: [{key, label, glyph, href, match, count, tone, say}]}], user, sub, crumbs, title, dark, bell, add: [{name,
    label, glyph}], bar: [...], languages: [[code, label]], admin}; `query` is the address and changes with it."""

    query = param.String("", doc="What stands behind the ? of the address.")
    made = param.String("", doc="Which window of the server's this is: another one after the server was started anew.")
    words = ("Skip to the content", "Main", "More", "Fold the navigation", "Search or jump to…", "Quick add", "Next steps that are overdue", "{n} overdue", "Your menu",
             "Dark mode", "Light mode", "Language", "Sign out", "Home", "Search", "Pipeline", "Add", "Keys", "Settings", "Administration", "Path", "Done",
             "The connection is gone. What you typed is kept here; reconnecting…", "The connection is back.", "The connection could not be restored. What you typed is kept.",
             "Reload", "Nothing is overdue.", "Notices", "New notices", "Nothing new.", "Mark all as read", "Open the bell", "Show all", "Close", "Loading…", "About", "Working…",
             "Go to search", "New", "Log what happened", "Edit", "Next and previous line", "Open the line", "Select the line", "Save a form", "Leave a field or close", "Go home", "Show these keys",
             "Show the navigation", "Go to the list {n} of the navigation", "Page")
