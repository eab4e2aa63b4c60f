"""The web server: one process with the app, sign-in, downloads, health and metrics, all behind one gate.

`serve(config, data, …)` runs it; `site(company, …)` builds the ASGI application of one company (tests, other servers).
"""

from __future__ import annotations

from typing import Any

__all__ = ["serve", "site"]


def serve(*args: Any, **kwargs: Any) -> None:
    """Run the server until it is told to stop; see `crm.server.run.serve`."""
    from crm.server.run import serve as run

    run(*args, **kwargs)


def site(*args: Any, **kwargs: Any) -> Any:
    """The ASGI application of a company; see `crm.server.site.Site`."""
    from crm.server.site import Site

    return Site(*args, **kwargs)
