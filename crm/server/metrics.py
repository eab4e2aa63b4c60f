"""Figures for Prometheus: requests, time they took, open websockets, sign-ins."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

#: The first parts of our addresses; others are counted together, so that strangers cannot make up new series.
PARTS = frozenset({"", "static", "components", "files", "export", "signin", "signout", "password", "healthz", "metrics"})


class Metrics:
    """The figures of one site, in a registry of its own."""

    type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter("crm_requests", "Requests answered", ["method", "part", "status"], registry=self.registry)
        self.seconds = Histogram("crm_request_seconds", "Time to the end of an answer", ["part"], registry=self.registry)
        self.websockets = Gauge("crm_websockets", "Open browser windows", registry=self.registry)
        self.signins = Counter("crm_signins", "Tries to sign in", ["result"], registry=self.registry)
        self.reloads = Counter("crm_reloads", "Changed configurations", ["result"], registry=self.registry)
        self.faults = Gauge("crm_configuration_faults", "Faults in the configuration on disk", registry=self.registry)

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        first = path.strip("/").split("/")[0]
        part = first if first in PARTS else "other"
        method = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self.requests.labels(method, part, f"{status // 100}xx").inc()
        self.seconds.labels(part).observe(seconds)

    def text(self, **_: Any) -> bytes:
        return generate_latest(self.registry)
