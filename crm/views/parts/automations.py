"""What runs by itself: every automation with its runs, what it would have done, and what could not be sent."""

from crm.views.base import PARTS, Part


@PARTS.add
class Automations(Part):
    """content {title, tabs: [{name, label, href}], worker: {ok, text}, rows: [{key, label, help, when, then, of, off, fixed, runs, failed, last,
    open: {runs: [{key, at, title, href, state, tone, text}], trial: {text, hits: [{key, at, title, href}], more}}}],
    post: [{key, what, to, text, tries, next, dead}]}. Tells `open`, `switch`, `send`, `drop`; asks `trial`."""

    words = ("When", "Then", "Runs", "Failed", "Last", "Acts", "Off", "Switched off in YAML", "Switch off", "Switch on", "Try on history", "Trying…",
             "Could not be sent", "Send again", "Drop", "Given up", "Next try {when}", "Tries: {n}", "Last runs", "It has not run yet.", "Nothing runs by itself yet. Automations are files in automations/.",
             "Show what it did", "Hide")
