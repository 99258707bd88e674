"""Page: what a workload prints. It goes on by itself with script, and is a list that goes back page by page without."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.environments.access import EnvironmentReader
from roadbed.environments.service import reading
from roadbed.environments.service.following import LogPosition
from roadbed.environments.service.instances import read_log
from roadbed.environments.types import WorkloadAddress
from roadbed.environments.web.words import health_words
from roadbed.kit.ansi import spans

router = APIRouter()

LINES_SHOWN = 500


class LogPageQuery(BaseModel):
    """Which lines: those before a position, else the last ones."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[int | None, Field(ge=0)] = None


@router.get("/environments/{application}/{environment}/workloads/{workload}/log")
async def log_page(
    request: Request,
    session: Reading,
    _: EnvironmentReader,
    address: Annotated[WorkloadAddress, Depends()],
    query: Annotated[LogPageQuery, Query()],
) -> HTMLResponse:
    """Show what a workload printed last, or before that."""
    workload = await reading.get_workload_at(session, address)
    instance_id = await reading.find_log_instance(session, workload.id)
    context: dict[str, Any] = {"workload": workload, "state": health_words(workload), "lines": []}
    if instance_id is not None:
        piece = await asyncio.to_thread(
            read_log, request.app.state.services, instance_id, before=query.before, limit=LINES_SHOWN
        )
        end = LogPosition(instance_id, piece.next_position, len(piece.lines))
        base = f"/api/v1/environments/{address.application}/{address.environment}/workloads/{address.workload}"
        context |= {
            "lines": [{"number": number, "spans": spans(line)} for number, line in enumerate(piece.lines, 1)],
            "earlier": _earlier(workload.log_page, piece.position, piece.lost_bytes),
            "newest": workload.log_page if query.before is not None else None,
            "follow": f"{base}/logs/events?position={end}" if query.before is None else None,
            "lost_bytes": piece.lost_bytes,
        }
    return await render(request, "environments/log.html", context)


def _earlier(page: str, position: int, lost_bytes: int) -> str | None:
    return f"{page}?before={position}" if position > 0 and not lost_bytes else None
