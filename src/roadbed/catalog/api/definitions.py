"""REST: what the definition of an API says, and what changed from one version to the next."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from roadbed.catalog.access import EntityReader
from roadbed.catalog.errors import DefinitionUnreadable
from roadbed.catalog.rules.definitions.model import Broken
from roadbed.catalog.schemas.changes import LATEST_POSITION
from roadbed.catalog.schemas.definitions import (
    DefinitionChangeOut,
    DefinitionChangesOut,
    DefinitionOut,
    DefinitionVersionOut,
    DefinitionVersions,
)
from roadbed.catalog.service import definitions
from roadbed.catalog.service.definitions import DefinitionReader
from roadbed.core.db import Database
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/entities/{kind}/{namespace}/{name}/definition", tags=["catalog"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
Reader = Annotated[DefinitionReader, Depends(service(DefinitionReader))]
Rows = Annotated[Database, Depends(service(Database))]
Version = Annotated[
    int | None, Query(ge=1, le=LATEST_POSITION, description="The position of the change that brought it.")
]


@router.get("", response_model=DefinitionOut)
async def get_definition(
    database: Rows, _: EntityReader, reader: Reader, ref: RefOfPath, version: Version = None
) -> Response:
    """Return what a definition says, in one form for OpenAPI, AsyncAPI, GraphQL and Protocol Buffers."""
    async with database.read() as session:  # ends before the work, which may take long, begins
        text = await definitions.get_text(session, await definitions.get_api(session, ref), version=version)
    if text.format is None:
        raise DefinitionUnreadable(
            f"{ref} has a definition of type {text.type}, which Roadbed does not read.",
            hint="Its text is in spec.definition.",
        )
    found = await (await reader.read(text.format, text.text)).wait()
    if isinstance(found, Broken):
        raise _unreadable(ref, found)
    return Response(found.write(), media_type="application/json")


@router.get("/changes")
async def list_definition_changes(
    database: Rows, _: EntityReader, reader: Reader, ref: RefOfPath, versions: Annotated[DefinitionVersions, Query()]
) -> DefinitionChangesOut:
    """List what changed from one version of a definition to the next, what breaks clients first."""
    async with database.read() as session:  # as above
        api = await definitions.get_api(session, ref)
        pair = await definitions.find_pair(session, ref, version=versions.version, since=versions.since)
        texts = await definitions.find_texts(session, api, pair)
    comparing = await reader.compare(*texts) if texts is not None else None
    found = await comparing.wait() if comparing is not None else None
    if found is not None and found.broken is not None:
        raise _unreadable(ref, found.broken, which=f" {found.which} the change")
    if found is None and pair.before is not None:
        raise DefinitionUnreadable(
            f"These versions of the definition of {ref} cannot be compared.",
            hint="OpenAPI, AsyncAPI, GraphQL and Protocol Buffers are compared, each with its own kind.",
        )
    return DefinitionChangesOut(
        before=DefinitionVersionOut.model_validate(pair.before) if pair.before else None,
        after=DefinitionVersionOut.model_validate(pair.after),
        breaking=found.count("breaking") if found else 0,
        items=[DefinitionChangeOut.model_validate(change) for change in (found.changes if found else ())],
        is_cut=found.is_cut if found else False,
    )


def _unreadable(ref: EntityRef, broken: Broken, *, which: str = "") -> DefinitionUnreadable:
    place = f"line {broken.line}, column {broken.column}" if broken.line else "definition"
    problem = {"path": place, "reason": broken.reason, "line": broken.line, "column": broken.column}
    return DefinitionUnreadable(
        f"The definition of {ref}{which} cannot be read.", hint=broken.hint or None, problems=[problem]
    )
