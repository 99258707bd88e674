"""Logs, metrics and traces of Roadbed itself.

Logs are structlog events with the trace id and, inside a run, the run id. Metrics are Prometheus's; gauges that cost a
query are collected when asked for. Traces leave only when an OTLP endpoint is set.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roadbed.core.db import Database, ReadSession
from roadbed.core.events import measure_lag
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.core.http.context import route_template
from roadbed.core.services import Services
from roadbed.core.settings import TelemetrySettings
from roadbed.core.workflows import Workflows

Redact = Callable[[Any], Any]


def configure_logging(settings: TelemetrySettings, *, redact: Redact) -> None:
    """Send structlog and the standard library's logging to standard error in one format.

    Args:
        settings: level and format.
        redact: masks secret values in a JSON-like structure; applied to the whole of every entry.
    """
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())

    def mask(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {key: value if key.startswith("_") else redact(_as_data(value)) for key, value in event.items()}

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # before the mask: a traceback quotes values
        mask,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("uvicorn.access", "dbos", "alembic", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "dbos"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def _as_data(value: Any) -> Any:
    """Return what a renderer would show of a value, as strings, numbers, lists and mappings."""
    if isinstance(value, Mapping):
        return {str(key): _as_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_as_data(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


@dataclass(frozen=True)
class Figure:
    """One number: `roadbed_catalog_locations{state="unreadable"} 2`. Figures of one name have the same labels."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Measure(Protocol):
    """Finds figures in the database when Prometheus asks, in few queries."""

    async def __call__(self, session: ReadSession, /) -> Sequence[Figure]: ...


MEASURES: Slot[Measure] = Slot(ContributionKind.MEASURE, Callable)


class _Figures(Collector):
    """Figures as Prometheus's library takes them."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for _, group in groupby(sorted(self._figures, key=lambda figure: figure.name), key=lambda figure: figure.name):
            first, *others = group
            family = GaugeMetricFamily(first.name, first.help, labels=list(first.labels))
            for figure in (first, *others):
                family.add_metric(list(figure.labels.values()), figure.value)
            yield family


class Metrics:
    """The counters of this process, and how to read those that live in the database."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.registry = CollectorRegistry()
        self.request_seconds = Histogram(
            "roadbed_http_request_duration_seconds",
            "Time to answer a request, by route template.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.run_outcomes = Counter("roadbed_runs_total", "Finished runs.", ("kind", "outcome"), registry=self.registry)
        self._outbox_pending = Gauge("roadbed_outbox_pending", "Event deliveries not done yet.", registry=self.registry)
        self._outbox_lag = Gauge(
            "roadbed_outbox_lag_seconds", "Age of the oldest delivery not done yet.", registry=self.registry
        )
        self._pool_in_use = Gauge("roadbed_db_pool_in_use", "Database connections in use.", registry=self.registry)
        self._queued = Gauge(
            "roadbed_workflows_queued", "Workflow segments that wait for a worker.", registry=self.registry
        )

    async def render(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        database = self._services.get(Database)
        figures: list[Figure] = []
        async with database.read() as session:
            pending, lag_seconds = await measure_lag(session)
            for measure in self._services.get(Registry).get(MEASURES):
                figures += await measure(session)
        self._outbox_pending.set(pending)
        self._outbox_lag.set(lag_seconds)
        self._pool_in_use.set(database.connections_in_use)
        self._queued.set(await self._services.get(Workflows).count_queued())
        measured = CollectorRegistry()
        measured.register(_Figures(figures))
        return generate_latest(self.registry) + generate_latest(measured)


class MetricsMiddleware:
    """Measures each request under the template of its route, never its path, so that series stay few."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self._series: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            self._observe(scope, status, time.perf_counter() - began)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        key = (scope["method"], route_template(scope), status)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self.metrics.request_seconds.labels(key[0], key[1], str(status))
        series.observe(seconds)
