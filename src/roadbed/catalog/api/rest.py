"""REST: entities, kinds, validation and locations."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from roadbed.catalog.access import EntityReader, EntityWriter, LocationReader, LocationWriter
from roadbed.catalog.errors import EntityInvalid
from roadbed.catalog.rules.documents import Reading, from_json, read_documents
from roadbed.catalog.rules.health import HealthView
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.links.making import Links
from roadbed.catalog.rules.validation import find_ref
from roadbed.catalog.schemas.changes import FeedChangeOut, FeedOut, FeedQuery
from roadbed.catalog.schemas.entities import (
    AsOf,
    ComputedOut,
    EntityDetailOut,
    EntityOut,
    EntityPageOut,
    EntityQuery,
    HealthOut,
    ImpliedLinkOut,
    MissingLinkOut,
    ProblemOut,
    PutOut,
    PutResultOut,
    RelationOut,
    StatusOut,
    ValidationOut,
)
from roadbed.catalog.schemas.kinds import KindOut, KindsOut
from roadbed.catalog.schemas.locations import (
    LocationChangeIn,
    LocationDetailOut,
    LocationIn,
    LocationOut,
    LocationPageOut,
    RunStartedOut,
)
from roadbed.catalog.service import care, entities, feed, listing, locations, reading
from roadbed.catalog.service.computing import compute
from roadbed.catalog.service.foresight import foresee
from roadbed.catalog.service.health import find_health
from roadbed.catalog.service.kinds import get_kind, require_kinds
from roadbed.catalog.service.links import list_implied_links
from roadbed.catalog.service.ownership import require_known
from roadbed.catalog.service.past import open_moment
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.types import LocationSummary
from roadbed.core.access import anonymous
from roadbed.core.actor import Actor
from roadbed.core.db import Reading as ReadingSession
from roadbed.core.db import ReadSession, Writing
from roadbed.core.etags import NOT_MODIFIED, Fresh, IfMatch
from roadbed.core.idempotency import Once
from roadbed.core.paging import PageQuery, id_cursor, id_of_cursor, number_cursor, number_of_cursor
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter(tags=["catalog"])


RefOfPath = Annotated[EntityRef, Depends(EntityRef)]

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]

_EXAMPLE = """apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: platform}
"""
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string", "description": "One or more entities as YAML documents."},
                "example": _EXAMPLE,
            },
            "application/json": {"schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}},
        },
    }
}


async def _read_body(request: Request) -> Reading:
    content = await request.body()
    if "json" not in request.headers.get("content-type", ""):
        return read_documents(content)
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise EntityInvalid(
            f"The body is not JSON: {error}.", hint="Send JSON, or YAML as application/yaml."
        ) from error
    return Reading(tuple(from_json(item) for item in (data if isinstance(data, list) else [data])), ())


Body = Annotated[Reading, Depends(_read_body)]


@router.get("/entities", response_model=EntityPageOut, responses=NOT_MODIFIED)
async def list_entities(
    session: ReadingSession,
    actor: EntityReader,
    kinds: KindsInForce,
    fresh: Fresh,
    query: Annotated[EntityQuery, Query()],
) -> EntityPageOut | Response:
    """List entities, by title unless asked otherwise; with `as_of`, as they were then."""
    require_kinds(kinds, query.kind)
    if query.mine:
        require_known(session.services, actor)
    moment = await open_moment(session, query.as_of)
    wanted = await resolve(session, query.to_filter(kinds, actor))
    page = await listing.list_page(
        session, wanted, cursor=query.cursor, limit=query.limit, moment=moment, sort=query.sort
    )
    shown = EntityPageOut(
        items=[EntityOut.of(entity) for entity in page.items], next_cursor=page.next_cursor, total=page.total or 0
    )
    return fresh.answer(shown)


@router.get("/entities/changes")
async def follow_changes(request: Request, _: EntityReader, query: Annotated[FeedQuery, Query()]) -> FeedOut:
    """List the changes of all entities since a cursor, oldest first: none is missing and none comes twice."""
    after = number_of_cursor(query.since) or 0
    found = await feed.read_feed(
        request.app.state.services, after=after, limit=query.limit, wait_seconds=query.wait_seconds
    )
    return FeedOut(
        items=[FeedChangeOut.model_validate(change) for change in found],
        next_cursor=number_cursor(found[-1].position if found else after),
    )


@router.post("/entities", openapi_extra=_BODY)
async def put_entities(actor: EntityWriter, body: Body, session: Writing, if_match: IfMatch) -> PutResultOut:
    """Create or change entities that no location holds: all that are given, or none. `If-Match` is for one entity."""
    results = await entities.put_entities(session, actor, body, condition=if_match)
    return PutResultOut(items=[PutOut(ref=str(result.ref), change=result.change) for result in results])


@router.get("/entities/{kind}/{namespace}/{name}", response_model=EntityDetailOut, responses=NOT_MODIFIED)
async def get_entity(
    session: ReadingSession, actor: EntityReader, ref: RefOfPath, kinds: KindsInForce, fresh: Fresh, as_of: AsOf = None
) -> EntityDetailOut | Response:
    """Return an entity with its relations, statuses, problems and computed properties.

    With `as_of`, as it was then: without statuses, health, problems and computed properties.
    """
    definition = get_kind(kinds, ref.kind)
    moment = await open_moment(session, as_of)
    if moment is None:
        detail = await reading.get_detail(session, ref)
        links = list_implied_links(session.services, actor, detail)
        shown = _show(detail, links, await find_health(session, detail.entity.ref))
        values = compute(session, [detail.entity], definition)[0]
        shown.computed = {name: ComputedOut.of(value) for name, value in values.items()}
    else:
        detail = await reading.get_past_detail(session, ref, moment)
        shown = _show(detail, list_implied_links(session.services, actor, detail), None)
    return fresh.answer(shown, shown.etag)


def _show(detail: reading.EntityDetail, links: Links, health: HealthView | None) -> EntityDetailOut:
    return EntityDetailOut(
        **EntityOut.of(detail.entity).model_dump(),
        relations=[
            RelationOut(type=related.type, target=str(related.ref), found=related.entity is not None)
            for related in detail.relations
        ],
        statuses=[StatusOut.of(status) for status in detail.statuses],
        problems=[ProblemOut.model_validate(problem) for problem in detail.problems],
        computed={},
        health=HealthOut.of(health) if health else None,
        implied_links=[ImpliedLinkOut.model_validate(link) for link in links.found],
        missing_links=[MissingLinkOut.model_validate(link) for link in links.missing],
    )


@router.delete("/entities/{kind}/{namespace}/{name}", status_code=204)
async def delete_entity(actor: EntityWriter, session: Writing, ref: RefOfPath, if_match: IfMatch) -> None:
    """Delete an entity that was put over the API, or one that its location no longer holds."""
    await entities.delete_entity(session, actor, ref, condition=if_match)


@router.post("/validate", openapi_extra=_BODY)
async def validate(session: ReadingSession, _: EntityReader, body: Body, kinds: KindsInForce) -> ValidationOut:
    """Tell what is wrong with entities, and which ones a changed kind would break, without keeping them."""
    refs = [str(ref) for document in body.documents if (ref := find_ref(document)) is not None]
    problems = entities.validate(body, kinds)
    is_sound = not any(problem.is_error for problem in problems)
    problems += await entities.warn_of_owners(session, body, kinds)
    return ValidationOut.of(refs, problems, await foresee(session, body, kinds) if is_sound else [])


@router.get("/kinds")
async def list_kinds(_: EntityReader, kinds: KindsInForce) -> KindsOut:
    """List the kinds in force."""
    return KindsOut(items=[KindOut.of(definition) for definition in kinds])


@router.get("/kinds/{kind}/schema")
async def get_schema(
    _: Annotated[Actor, anonymous("editors complete and check YAML with it")], kinds: KindsInForce, kind: str
) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the entities of a kind."""
    return get_kind(kinds, kind).published_schema


@router.get("/locations")
async def list_locations(
    session: ReadingSession, _: LocationReader, query: Annotated[PageQuery, Query()]
) -> LocationPageOut:
    """List locations in the order of registration."""
    found, counts = await reading.list_location_page(
        session, after_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    return LocationPageOut(
        items=[LocationOut.of(item, entities=counts.entities, errors=counts.errors) for item in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.post("/locations", status_code=201)
async def register_location(actor: LocationWriter, session: Writing, body: LocationIn, once: Once) -> RunStartedOut:
    """Register a location and start reading it."""
    if known := await once.find(RunStartedOut):
        return known
    location, run = await locations.register_location(
        session, actor, type_=body.type, target=body.target, options=body.options
    )
    return await once.keep(RunStartedOut(location_id=location.id, run_id=run.id))


@router.get("/locations/{location_id}")
async def get_location(session: ReadingSession, _: LocationReader, location_id: UUID) -> LocationDetailOut:
    """Return a location with the problems of its files."""
    return await _show_location(session, await locations.get_location(session, location_id))


@router.patch("/locations/{location_id}")
async def change_location(
    actor: LocationWriter, session: Writing, location_id: UUID, body: LocationChangeIn
) -> LocationDetailOut:
    """Change how a location is looked after, and have it read anew."""
    location = await care.change_location(session, actor, location_id, body.changes())
    await session.flush()
    return await _show_location(session, location)


async def _show_location(session: ReadSession, location: LocationSummary) -> LocationDetailOut:
    location_id = location.id
    counts = await reading.count_for(session, [location_id])
    return LocationDetailOut(
        **LocationOut.of(location, entities=counts.entities, errors=counts.errors).model_dump(),
        problems=[ProblemOut.model_validate(row) for row in await reading.list_problems(session, location_id)],
    )


@router.delete("/locations/{location_id}", status_code=204)
async def remove_location(actor: LocationWriter, session: Writing, location_id: UUID) -> None:
    """Remove a location and the entities that were read from it."""
    await locations.remove_location(session, actor, location_id)


@router.post("/locations/{location_id}/refresh", status_code=202)
async def refresh_location(actor: LocationWriter, session: Writing, location_id: UUID) -> RunStartedOut:
    """Start reading a location again."""
    run = await locations.refresh_location(session, actor, location_id)
    return RunStartedOut(location_id=location_id, run_id=run.id)
