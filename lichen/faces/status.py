"""Status: is the process alive, is the house ready, and its numbers for Prometheus.

`/health` answers 200 while the event loop turns. `/ready` answers 200 only when every configured
port listens, the outbox is empty and the readers that serve pages have caught up with what was
committed before the start. The metrics have a port of their own, on loopback only.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from litestar import Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

_log = structlog.get_logger("lichen.status")

METRICS_HOST = "127.0.0.1"


class Readiness(msgspec.Struct, frozen=True):
    """Whether the house is ready, and what it waits for if not."""

    ready: bool
    waiting_for: tuple[str, ...] = ()
    readers: dict[str, int] = {}
    last_seq: int = 0


def routes(readiness: Callable[[], Awaitable[Readiness]]) -> list[Any]:
    """Return the handlers of `/health` and `/ready`."""

    @get("/health", sync_to_thread=False, tags=["status"])
    def health() -> dict[str, str]:
        """Say that the process is alive."""
        return {"status": "alive"}

    @get("/ready", tags=["status"])
    async def ready() -> Response[Readiness]:
        """Say whether the house is ready to serve, and what it waits for."""
        found = await readiness()
        status = HTTP_200_OK if found.ready else HTTP_503_SERVICE_UNAVAILABLE
        return Response(found, status_code=status, headers={"cache-control": "no-store"})

    return [health, ready]


def start_metrics(port: int, collect: Callable[[], dict[str, float]]) -> Callable[[], None]:
    """Serve Prometheus metrics on loopback; return what stops it. A busy port is a warning."""
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class House(Collector):
        def collect(self) -> Any:
            for name, value in collect().items():
                yield GaugeMetricFamily(f"lichen_{name}", name.replace("_", " "), value=value)

    registry = CollectorRegistry()
    registry.register(House())
    try:
        server, thread = start_http_server(port, addr=METRICS_HOST, registry=registry)
    except OSError as error:
        _log.warning("metrics_port_busy", port=port, reason=error.strerror)
        return lambda: None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
