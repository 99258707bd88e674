"""The composition root: the only file that knows every domain."""

import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path

import structlog
from fastapi import FastAPI

import roadbed
from roadbed.approvals.module import MODULE as APPROVALS
from roadbed.artifacts.module import MODULE as ARTIFACTS
from roadbed.audit.module import MODULE as AUDIT
from roadbed.catalog.module import MODULE as CATALOG
from roadbed.core import health, openapi
from roadbed.core.access import PERMISSIONS
from roadbed.core.db import Database
from roadbed.core.dispatcher import Dispatcher
from roadbed.core.extension import Module, Registry, load
from roadbed.core.health import HEALTH_CHECKS, METRICS_READ, SYSTEM_READ, HealthCheck
from roadbed.core.home import Home, open_home
from roadbed.core.html import Renderer
from roadbed.core.http import problems
from roadbed.core.http.context import ProxyMiddleware, TraceMiddleware
from roadbed.core.http.guards import (
    CrossSiteMiddleware,
    HeadersMiddleware,
    HeadMiddleware,
    OneHostMiddleware,
    SizeLimitMiddleware,
)
from roadbed.core.inventory import INVENTORY, INVENTORY_READ, InventorySource, list_own
from roadbed.core.lifecycle import PROVIDERS, Provider, Stopping
from roadbed.core.redaction import DataMask
from roadbed.core.replica import LeaseLost, Replica, open_recovery, open_replica
from roadbed.core.routes import API, API_PREFIX, MOUNTS, PAGES, MountsMiddleware
from roadbed.core.sandbox import Sandbox
from roadbed.core.sandbox.parts import open_sandbox
from roadbed.core.schema import migrate, read_status
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.core.telemetry import Metrics, MetricsMiddleware
from roadbed.core.workflows import HOST_QUEUE, QUEUE, SCHEDULE_QUEUE, SCHEDULES, Workflows
from roadbed.delivery.module import MODULE as DELIVERY
from roadbed.docs.module import MODULE as DOCS
from roadbed.environments.module import MODULE as ENVIRONMENTS
from roadbed.goldenpaths.module import MODULE as GOLDENPATHS
from roadbed.identity.module import MODULE as IDENTITY
from roadbed.integrations.github.module import MODULE as GITHUB
from roadbed.provisioning.module import MODULE as PROVISIONING
from roadbed.runs.module import MODULE as RUNS
from roadbed.sample import MODULE as SAMPLE
from roadbed.scm.module import MODULE as SCM
from roadbed.secrets.contract import SecretMask
from roadbed.secrets.module import MODULE as SECRETS
from roadbed.web.errors import error_page
from roadbed.web.gateway import GatewayMiddleware
from roadbed.web.module import MODULE as WEB
from roadbed.web.static_files import Assets

log = structlog.get_logger(__name__)


async def _check_database(services: Services) -> None:
    await services.get(Database).check()


async def _check_schema(services: Services) -> None:
    status = await read_status(services.get(Database))
    if not status.is_current:
        raise RuntimeError(f"the schema is at {status.current}, it should be at {status.newest}")


async def _check_workflows(services: Services) -> None:
    await services.get(Workflows).check()


CORE = Module(
    "core",
    (
        PERMISSIONS.add(METRICS_READ, SYSTEM_READ, INVENTORY_READ),
        INVENTORY.add(InventorySource("core", list_own)),
        PAGES.add(health.router, openapi.router),
        PROVIDERS.add(Provider("sandbox", open_sandbox, needs_host=True, gives=(Sandbox,))),
        HEALTH_CHECKS.add(
            HealthCheck("database", _check_database),
            HealthCheck("migrations", _check_schema),
            HealthCheck("workflows", _check_workflows),
        ),
    ),
)

# Lower layers first: parts start in this order and stop in reverse.
MODULES = (
    CORE,
    AUDIT,
    IDENTITY,
    SECRETS,
    RUNS,
    APPROVALS,
    SCM,
    CATALOG,
    DOCS,
    ARTIFACTS,
    PROVISIONING,
    ENVIRONMENTS,
    DELIVERY,
    GOLDENPATHS,
    GITHUB,
    SAMPLE,
    WEB,
)


def _say_lost(error: LeaseLost) -> None:
    log.critical("leases.lost", error=error.message, hint=error.hint)


@asynccontextmanager
async def open_roadbed(
    settings: Settings,
    *,
    modules: Sequence[Module] = MODULES,
    mask: SecretMask | None = None,
    on_lost: Callable[[LeaseLost], None] = _say_lost,
) -> AsyncIterator[FastAPI]:
    """Start everything but the listener; stop it again at the end.

    Args:
        settings: the whole configuration.
        modules: the manifests to load, lower layers first.
        mask: what hides secret values in the log; it learns them from the vault.
        on_lost: ends this process at once, because others do its work.

    Yields:
        The application, ready to serve.
    """
    async with AsyncExitStack() as stack:
        services = Services()
        services.put(Settings, settings)
        services.put(Stopping, Stopping())
        mask = mask or SecretMask()
        services.put(SecretMask, mask)
        services.put(DataMask, DataMask(mask.mask_data))
        registry = load(modules)
        services.put(Registry, registry)
        home = await stack.enter_async_context(open_home(settings))
        services.put(Home, home)
        database = Database(
            home.database_url,
            pool_size=settings.database.pool_size,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
            services=services,
        )
        stack.push_async_callback(database.close)
        services.put(Database, database)
        await migrate(database)
        services.put(Replica, await stack.enter_async_context(open_replica(services, on_lost=on_lost)))
        services.put(Metrics, Metrics(services))
        static = stack.enter_context(as_file(files("roadbed.web") / "static"))
        services.put(Renderer, Renderer(services, organisation=settings.organisation, static=static))
        await _start_parts(stack, services)
        if settings.telemetry.otlp_endpoint:
            tracing = importlib.import_module("roadbed.core.tracing")
            stack.callback(tracing.configure_tracing(settings.telemetry.otlp_endpoint).shutdown)
        yield create_app(services, static=static)


async def _start_parts(stack: AsyncExitStack, services: Services) -> None:
    registry = services.get(Registry)
    settings = services.get(Settings)
    replica = services.get(Replica)
    workflows = Workflows(
        url=services.get(Home).database_url,
        executor_id=replica.executor_id,
        queues=_queues_of(replica),
        concurrency=settings.runs.concurrency,
        services=services,
    )
    services.put(Workflows, workflows)
    providers = _choose_providers(registry, replica, services)
    for provider in providers:
        if not provider.is_after_launch:
            await stack.enter_async_context(provider.open(services))
    await workflows.launch(registry.get(SCHEDULES))

    async def close_workflows() -> None:
        await workflows.close(wait_seconds=settings.http.shutdown_seconds)

    stack.push_async_callback(close_workflows)
    await stack.enter_async_context(open_recovery(services))
    if replica.role != "web":
        dispatcher = Dispatcher(services.get(Database), registry, is_host=replica.is_host)
        dispatcher.start()
        stack.push_async_callback(dispatcher.stop)
    for provider in providers:
        if provider.is_after_launch:
            await stack.enter_async_context(provider.open(services))


def _queues_of(replica: Replica) -> tuple[str, ...]:
    if replica.is_host:
        return (QUEUE, SCHEDULE_QUEUE, HOST_QUEUE)
    return (QUEUE, SCHEDULE_QUEUE) if replica.role == "worker" else ()


def _choose_providers(registry: Registry, replica: Replica, services: Services) -> list[Provider]:
    """Return the parts that this process has; who asks for what only the host has is told so."""
    providers = registry.get(PROVIDERS)
    if replica.is_host:
        return list(providers)
    for kind in (kind for provider in providers if provider.needs_host for kind in provider.gives):
        services.withhold(kind, replica.elsewhere)
    return [provider for provider in providers if not provider.needs_host]


def create_app(services: Services, *, static: Path) -> FastAPI:
    """Build the HTTP application over running services."""
    registry = services.get(Registry)
    settings = services.get(Settings)
    app = FastAPI(
        title="Roadbed",
        version=roadbed.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # Ours measure (MetricsMiddleware) and trace (TraceMiddleware): a request would be told of twice.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        description="Everything the pages and the command line do. Errors are problem documents (RFC 9457).",
    )
    app.state.services = services
    problems.install(app, error_page=error_page)
    is_worker = services.get(Replica).role == "worker"
    for router in () if is_worker else registry.get(API):
        app.include_router(router, prefix=API_PREFIX)
    for router in (health.router,) if is_worker else registry.get(PAGES):
        app.include_router(router, include_in_schema=False)
    app.mount("/static", Assets(static), name="static")
    # The last one added is the outermost.
    app.add_middleware(MountsMiddleware, services=services, mounts=registry.get(MOUNTS))
    app.add_middleware(
        SizeLimitMiddleware,
        limit_bytes=settings.http.max_request_bytes,
        is_exempt=lambda path: path.startswith("/git/"),
    )
    app.add_middleware(CrossSiteMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=services.get(Metrics))
    app.add_middleware(HeadersMiddleware)
    app.add_middleware(OneHostMiddleware, own_address=settings.http.public_url, listens_on=settings.host)
    app.add_middleware(GatewayMiddleware, services=services)
    app.add_middleware(TraceMiddleware, is_traced=settings.telemetry.otlp_endpoint is not None)
    app.add_middleware(ProxyMiddleware, trusted=settings.http.trusted_proxies)
    return app
