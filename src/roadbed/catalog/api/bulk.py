"""REST: the owner or the lifecycle of many entities at once."""

from typing import Annotated

from fastapi import APIRouter, Depends

from roadbed.catalog.access import EntityWriter
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.schemas.bulk import (
    BulkFileOut,
    BulkIn,
    BulkPlanOut,
    BulkRefusalOut,
    BulkRepositoryOut,
    BulkStartedOut,
)
from roadbed.catalog.service import bulk
from roadbed.catalog.service.resolving import resolve
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.idempotency import Once
from roadbed.core.routes import service

router = APIRouter(prefix="/entities/bulk", tags=["catalog"])

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]


@router.post("/check")
async def check_bulk(session: Reading, actor: EntityWriter, kinds: KindsInForce, body: BulkIn) -> BulkPlanOut:
    """Say which entities would be changed at once, which by a change request, and which not and why."""
    return _show(await _plan(session, actor, kinds, body))


@router.post("", status_code=202)
async def change_bulk(
    session: Writing, actor: EntityWriter, kinds: KindsInForce, body: BulkIn, once: Once
) -> BulkStartedOut:
    """Start the run that changes them: what the catalog keeps at once, files by one change request a repository."""
    if known := await once.find(BulkStartedOut):
        return known
    plan = await _plan(session, actor, kinds, body)
    run = await bulk.start_bulk(session, actor, plan, message=body.message)
    return await once.keep(BulkStartedOut(**_show(plan).model_dump(), run_id=run.id))


async def _plan(session: ReadSession, actor: Actor, kinds: Kinds, body: BulkIn) -> bulk.BulkPlan:
    wish = await bulk.read_wish(session, body.field, body.value)
    if body.where is None:
        found, missing = await bulk.select_refs(session, body.refs)
        return await bulk.plan_bulk(session, actor, wish, found, missing=missing)
    wanted = await resolve(session, body.where.to_filter(kinds, actor))
    return await bulk.plan_bulk(session, actor, wish, await bulk.select_matching(session, wanted))


def _show(plan: bulk.BulkPlan) -> BulkPlanOut:
    return BulkPlanOut(
        field=plan.wish.field,
        value=str(plan.wish.owner or plan.wish.value),
        count=plan.count,
        kept=[str(entity.ref) for entity in plan.kept],
        repositories=[
            BulkRepositoryOut(
                repository=part.repository.full_name,
                branch=part.branch,
                entities=[BulkFileOut(ref=str(entity.ref), file=file) for entity, file in part.entities],
            )
            for part in plan.repositories
        ],
        refused=[BulkRefusalOut(ref=str(ref), reason=reason) for ref, reason in plan.refused],
        unchanged=[str(entity.ref) for entity in plan.unchanged],
    )
