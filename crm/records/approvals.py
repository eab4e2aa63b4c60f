"""Approvals (B8): what needs somebody's word, who may give it, and the requests for it.

Requests are records of the entity that crm.yaml names below `approvals:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def request(where: Any, entity: str, id: int, why: str = "", *, by: Sequence[str] = (), key: str | None = None) -> int | None:
    """Ask for an approval of a record: the id of the request, or of the one that waits already under the same `key`.

    `where` is a door (the request is that user's) or a company (the engine's own, in the step being written). `by` are the roles who
    may grant it. None where the configuration holds no approvals.
    """
    return None
