"""REST: the entities of a filter as a file, streamed."""

from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from roadbed.catalog.access import EntityReader
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.tables import Column, Exported, find_columns, write_cells
from roadbed.catalog.schemas.entities import EntityCriteria, EntityOut
from roadbed.catalog.service.export import Wanted, export_entities
from roadbed.catalog.service.kinds import require_kinds
from roadbed.catalog.service.ownership import require_known
from roadbed.core.routes import service
from roadbed.kit.clock import now
from roadbed.kit.csvs import write_csv

router = APIRouter(tags=["catalog"])


class ExportFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


_MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.NDJSON: "application/x-ndjson",
}


class ExportQuery(EntityCriteria):
    """Which entities, and as what."""

    format: ExportFormat = ExportFormat.CSV
    limit: int | None = Field(None, ge=1, description="At most so many; all unless given.")
    columns: list[str] = Field(
        default_factory=list,
        description="Of the CSV, with commas between or given several times; also `spec:FIELD`, "
        "`computed:NAME`, `label:KEY`, `annotation:KEY`.",
        examples=["ref,owner,spec:tier"],
    )


@router.get(
    "/entities/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}, "description": "One entity a line."}},
)
async def export(
    request: Request,
    actor: EntityReader,
    kinds: Annotated[Kinds, Depends(service(Kinds))],
    query: Annotated[ExportQuery, Query()],
) -> StreamingResponse:
    """Give all entities of a filter as CSV, where no cell is a formula, or as JSON with one entity a line."""
    require_kinds(kinds, query.kind)
    if query.mine:
        require_known(request.app.state.services, actor)
    columns = find_columns(query.columns)
    wanted = Wanted(query.to_filter(kinds, actor), query.as_of, query.limit, columns, query.sort)
    pieces = export_entities(request.app.state.services, wanted)
    lines = _write_csv(columns, pieces) if query.format is ExportFormat.CSV else _write_ndjson(pieces)
    name = f"entities-{(query.as_of or now()).date()}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(lines, media_type=_MEDIA_TYPES[query.format], headers=headers)


async def _write_csv(columns: list[Column], pieces: AsyncIterator[list[Exported]]) -> AsyncIterator[str]:
    yield write_csv([[column.name for column in columns]])
    async for piece in pieces:
        yield write_csv(write_cells(columns, row) for row in piece)


async def _write_ndjson(pieces: AsyncIterator[list[Exported]]) -> AsyncIterator[str]:
    async for piece in pieces:
        yield "".join(_lines(piece))


def _lines(piece: Iterable[Exported]) -> Iterable[str]:
    return (EntityOut.of(row.entity).model_dump_json(by_alias=True) + "\n" for row in piece)
