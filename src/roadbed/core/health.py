"""`/livez`, `/readyz` and `/metrics`: what those who run Roadbed ask it."""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from roadbed.core.access import ADMINS, PLATFORM, DeciderService, Permission, anonymous
from roadbed.core.actor import Actor
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.core.telemetry import Metrics

METRICS_READ = Permission("core.metrics.read", "Read Roadbed's own metrics", ADMINS)
SYSTEM_READ = Permission("core.system.read", "See how Roadbed itself is doing", PLATFORM)


@dataclass(frozen=True)
class HealthCheck:
    """Something Roadbed needs to be ready. `check` raises with the reason when it is not there."""

    name: str
    check: Callable[[Services], Awaitable[None]]


HEALTH_CHECKS: Slot[HealthCheck] = Slot(ContributionKind.HEALTH_CHECK, HealthCheck)

router = APIRouter()


async def run_checks(services: Services) -> dict[str, str]:
    """Return each check's name with `ok`, or with what is wrong."""
    results = {}
    for check in services.get(Registry).get(HEALTH_CHECKS):
        try:
            await check.check(services)
        except Exception as error:  # noqa: BLE001 - a check may fail in any way; the answer says how
            results[check.name] = f"{type(error).__name__}: {error}"
        else:
            results[check.name] = "ok"
    return results


@router.get("/livez", include_in_schema=False)
async def livez(_: Annotated[Actor, anonymous("probes have no account")]) -> JSONResponse:
    """Tell that the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request, _: Annotated[Actor, anonymous("probes have no account")]) -> JSONResponse:
    """Tell whether everything Roadbed needs is there: each check with its result."""
    results = await run_checks(request.app.state.services)
    is_ready = all(result == "ok" for result in results.values())
    return JSONResponse({"status": "ok" if is_ready else "failing", "checks": results}, 200 if is_ready else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics(
    request: Request, actor: Annotated[Actor, anonymous("a loopback listener is trusted; see below")]
) -> Response:
    """Give Prometheus its metrics: with a token, or without one when Roadbed listens on loopback only."""
    services: Services = request.app.state.services
    if not _is_loopback(services.get(Settings).host):
        services.get(DeciderService).require(actor, METRICS_READ)
    return Response(await services.get(Metrics).render(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
