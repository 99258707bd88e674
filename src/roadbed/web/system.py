"""How Roadbed itself is doing: checks, event deliveries that fail, plugins, isolation."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

import roadbed
from roadbed.core.db import Database, Reading, ReadSession
from roadbed.core.events import list_failing, measure_lag
from roadbed.core.extension import LoadedPlugin, Registry
from roadbed.core.health import run_checks
from roadbed.core.home import Home
from roadbed.core.html import render
from roadbed.core.schema import read_status
from roadbed.core.services import Services
from roadbed.web.access import SystemReader

router = APIRouter()
api = APIRouter(tags=["system"])


@dataclass(frozen=True)
class SystemView:
    """What those who run Roadbed want to know at a glance. `lag_seconds` is the age of the oldest open delivery."""

    version: str
    home: str
    database: str
    schema: str
    checks: dict[str, str]
    open_deliveries: int
    lag_seconds: float
    failing: list[dict[str, Any]]
    plugins: list[LoadedPlugin]
    modules: list[str]


async def look(session: ReadSession, services: Services) -> SystemView:
    """Return the state of this process and of what it stands on."""
    registry = services.get(Registry)
    home = services.get(Home)
    open_deliveries, lag_seconds = await measure_lag(session)
    return SystemView(
        version=roadbed.__version__,
        home=str(home.path),
        database="embedded PostgreSQL" if home.postgres else "outside PostgreSQL",
        schema=(await read_status(services.get(Database))).current or "none",
        checks=await run_checks(services),
        open_deliveries=open_deliveries,
        lag_seconds=round(lag_seconds, 1),
        failing=[asdict(delivery) for delivery in await list_failing(session)],
        plugins=registry.plugins,
        modules=[module.name for module in registry.modules],
    )


@api.get("/system")
async def read_system(request: Request, session: Reading, _: SystemReader) -> SystemView:
    """Tell how Roadbed itself is doing."""
    return await look(session, request.app.state.services)


@router.get("/platform/system")
async def system_page(request: Request, session: Reading, _: SystemReader) -> HTMLResponse:
    """Show how Roadbed itself is doing."""
    return await render(request, "web/system.html", {"system": await look(session, request.app.state.services)})
