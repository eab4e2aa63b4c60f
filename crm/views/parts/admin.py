"""Users, roles and the state of the configuration, for those who look after them."""

from crm.views.base import PARTS, Part


@PARTS.add
class Admin(Part):
    """content {tab, tabs: [{name, label, href}], users: [...], roles: [...], config: {...}}.

    users: {key, name, login, role, team, active, signed}; roles: {name, label, count, rows: [{label, acts: [text], notes: [text]}]};
    config: {title, hash, folder, faults: [{place, message, mend, code}], facts: [[label, text]]}. Tells `add`, `edit`, `password`, `switch`, asks `check`, `take`."""

    words = ("Search", "Add a user", "Name", "Signs in as", "Role", "Team", "Edit", "Set a password", "Switch off", "Switch on", "Switched off", "Acts", "{n} users", "Nobody found",
             "See", "Create", "Change", "Delete", "Export", "Hidden fields", "Read only fields", "Check", "Take up changes", "No faults. This configuration is in use.",
             "{n} faults. The last good configuration stays in use until they are mended.", "One fault. The last good configuration stays in use until it is mended.",
             "Checking…", "May do everything in administration", "No password yet", "{n} people", "1 person")
