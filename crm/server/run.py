"""Starts the server: `crm serve`. Says where it is and, on a demo, who can sign in; stops gracefully on SIGTERM and Ctrl C."""

from __future__ import annotations

import logging
import os
import socket
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from crm.errors import ConfigError, Refused
from crm.server import logs
from crm.server.gate import LOOPBACK
from crm.worker.beside import Beside, wanted

log = logging.getLogger("crm.server")


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def hosts_of(host: str, more: list[str]) -> list[str]:
    """The names the server answers to: those it was given; without any, the machine itself when it listens to nobody else."""
    if more:
        return [*more, *(LOOPBACK if is_loopback(host) else ())]
    return sorted(LOOPBACK | {host}) if is_loopback(host) else ["*"]


def application() -> Any:
    """The ASGI application as the environment describes it (`CRM_CONFIG`, `CRM_DATA`, `CRM_HOSTS`, `CRM_METRICS_TOKEN`)."""
    from crm.client import open_company
    from crm.server.site import Site

    company = open_company()
    hosts = [name for name in os.environ.get("CRM_HOSTS", "").replace(",", " ").split() if name] or ["*"]
    return Site(company, hosts=hosts, watch=True, metrics_token=os.environ.get("CRM_METRICS_TOKEN"))


def _worker() -> Any:
    """One of several processes: its own logs, then the application."""
    logs.start(os.environ.get("CRM_LOG", "info"))
    return application()


def serve(
    config: str | Path, data: str, *, host: str = "127.0.0.1", port: int = 5006, processes: int = 1, names: list[str] | None = None, worker: bool = True
) -> None:
    """Serve a company until stopped, with a worker beside it (not with `CRM_WORKER=off`). Refuses to listen beyond this machine while a password stands that everybody knows."""
    import uvicorn

    from crm.client import open_company
    from crm.server.passwords import Passwords

    company = open_company(config, data)
    stranded = company.stranded(company.schema)
    if stranded:
        company.store.close()
        raise ConfigError(stranded)
    passwords = Passwords(company.store)
    demo = passwords.demo_users()
    if demo and not is_loopback(host):
        raise Refused(
            "{n} demo passwords are known to everybody, so this listens on this machine only. Leave out --host, or set passwords.",
            n=len(demo),
        )
    check_port(host, port)
    hosts = hosts_of(host, names or [])
    logs.start(os.environ.get("CRM_LOG", "info" if not sys.stderr.isatty() else "warning"))
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    settings: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 5,
        "timeout_worker_healthcheck": 60,  # a busy process is not a dead one
        "ws_max_size": 32 * 1024 * 1024,
        "proxy_headers": True,
    }
    if processes > 1:
        os.environ.update(CRM_CONFIG=str(Path(config).resolve()), CRM_DATA=str(data), CRM_HOSTS=" ".join(hosts))
        people = _people(company)
        company.store.close()
        announce(address, people)
        with Beside(config, data) if worker and wanted() else nullcontext():
            uvicorn.run("crm.server.run:_worker", factory=True, workers=processes, **settings)
        return
    from crm.server.site import Site

    site = Site(company, hosts=hosts, watch=True, metrics_token=os.environ.get("CRM_METRICS_TOKEN"))
    server = Server(uvicorn.Config(site, **settings), lambda: announce(address, site.demo_people()))
    with Beside(config, data) if worker and wanted() else nullcontext():
        server.run()
    company.store.close()


def Server(config: Any, started: Any) -> Any:
    """A uvicorn server that calls `started` once it answers."""
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    return Announcing(config)


def _people(company: Any) -> list[tuple[str, str, str]]:
    from crm.server.passwords import Passwords

    people = []
    for user in Passwords(company.store).demo_users():
        actor = company.people.actor(user)
        role = company.schema.roles.get(actor.role)
        people.append((actor.login, actor.name, role.label if role else actor.role))
    return people


def announce(address: str, people: list[tuple[str, str, str]]) -> None:
    """The address and a demo's sign-ins, on stdout."""
    print(f"\n  The CRM is at {address}\n", flush=True)
    if people:
        width = max(len(login) for login, _, _ in people)
        print("  Demo sign-ins (the password is the name in front):")
        for login, name, role in people:
            print(f"    {login:<{width}}  {name}, {role}")
        print(flush=True)


def check_port(host: str, port: int) -> None:
    """Say in plain words when something else listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                "Port {port} cannot be used on {host}: {why}. Try --port.", port=str(port), host=host, why=error.strerror or str(error)
            )
