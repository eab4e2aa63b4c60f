"""What users do with records beyond changing a field: one file each, known by being there.

ACTIONS["postpone"]().run(door, "activity", [12], {"to": "+2d"})  →  the step, to be undone with `door.undo`
"""

from crm.actions.base import ACTIONS, Action, Asked, actions_for

__all__ = ["ACTIONS", "Action", "Asked", "actions_for"]
