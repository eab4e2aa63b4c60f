"""A low-code CRM: YAML describes entities, pipelines, roles and reports; one engine makes the store, the screens and the frames of it.

`crm.open()` gives analysts the same data, rights and views that users have in the browser:

    import crm
    c = crm.open()
    c.report("revenue_by_month").frame
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["open"]


def open(*args: Any, **kwargs: Any) -> Any:
    """Open a configuration and its data; see `crm.client.open` for the arguments (imported on first use, it loads Panel)."""
    from crm.client import open as open_client

    return open_client(*args, **kwargs)
