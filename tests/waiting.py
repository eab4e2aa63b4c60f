"""Waits for what another thread or process does a moment later."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def eventually(holds: Callable[[], Any], seconds: float = 150.0) -> bool:
    """Whether something comes true; it is asked again and again until it does, on a slow machine too."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False
