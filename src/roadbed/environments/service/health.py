"""The health of workloads: written down when it changes, told to the catalog and to whoever subscribed."""

from collections.abc import Sequence
from uuid import UUID

from roadbed.catalog.contract import Health, StatusReport, entity_href, report_status, withdraw_status, worst_of
from roadbed.core.db import WriteSession, lock_transaction
from roadbed.core.events import publish
from roadbed.environments.models import Application, Environment, Workload
from roadbed.environments.repository import instances as rows
from roadbed.environments.types import HealthChanged
from roadbed.kit.clock import now
from roadbed.kit.refs import parse_ref

KEY = "health"
SOURCE = "process runtime"


async def set_health(session: WriteSession, workload_id: UUID, health: Health, summary: str) -> None:
    """Write down how it is with a workload; a change becomes an event and a status of its component."""
    workload, environment, application = await _lock(session, workload_id)
    before = workload.health
    if before == health.value and workload.health_since is not None:
        return
    workload.health, workload.health_summary, workload.health_since = health.value, summary, now()
    page = f"/environments/{application.name}/{environment.name}"
    await report_status(
        session,
        parse_ref(workload.component),
        StatusReport(key=f"{KEY}:{environment.name}", state=health.value, summary=summary, source=SOURCE, href=page),
    )
    await _report_component(session, workload.component)
    publish(
        session,
        HealthChanged(
            component=workload.component,
            environment=environment.name,
            before=before,
            after=health.value,
            summary=summary,
        ),
    )


async def clear_health(session: WriteSession, workload_id: UUID, *, summary: str = "Nothing runs") -> None:
    """Take back what was said of a workload, because it runs no more."""
    workload, environment, _ = await _lock(session, workload_id)
    workload.health, workload.health_summary, workload.health_since = Health.UNKNOWN.value, summary, None
    await withdraw_status(session, parse_ref(workload.component), f"{KEY}:{environment.name}")
    await _report_component(session, workload.component)


async def _lock(session: WriteSession, workload_id: UUID) -> tuple[Workload, Environment, Application]:
    """Return a workload once nobody else changes it, nor the health of its component: always in this order."""
    found = await rows.lock_placed_workload(session, workload_id)
    await lock_transaction(session, f"environments:health:{found[0].component}")
    return found


async def _report_component(session: WriteSession, component: str) -> None:
    """Report the worst of a component's environments as its health."""
    await session.flush()
    ref = parse_ref(component)
    found = [
        (workload, environment)
        for workload, environment in await rows.list_workloads_of(session, component)
        if workload.health_since is not None
    ]
    if not found:
        await withdraw_status(session, ref, KEY)
        return
    state = worst_of(workload.health for workload, _ in found)
    summary = _summarise(found, state)
    detail = {environment.name: workload.health for workload, environment in found}
    report = StatusReport(
        key=KEY, state=state.value, summary=summary, source=SOURCE, href=entity_href(ref), detail=detail
    )
    await report_status(session, ref, report)


def _summarise(found: Sequence[tuple[Workload, Environment]], state: Health) -> str:
    those = [(workload, environment) for workload, environment in found if workload.health == state.value]
    if state is Health.HEALTHY:
        return f"Answers in {', '.join(environment.name for _, environment in those)}"
    return "; ".join(f"{environment.name}: {workload.health_summary}" for workload, environment in those)
