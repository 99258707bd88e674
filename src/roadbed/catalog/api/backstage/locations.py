"""Registered locations. Those of type `file` are the server's own matter, as configured ones are in Backstage."""

import base64
import binascii
from typing import Any
from uuid import UUID

import orjson

from roadbed.catalog.api.backstage.http import Answer, BadRequest, CatalogRequest
from roadbed.catalog.errors import (
    EntityInvalid,
    EntityNotFound,
    LocationExists,
    LocationInvalid,
    LocationNotFound,
    LocationUnreadable,
)
from roadbed.catalog.rules.backstage.errors import BadQuestion
from roadbed.catalog.rules.backstage.predicates import parse_predicate
from roadbed.catalog.rules.index.conditions import EVERYTHING, AllOf, AnyOf, Condition, HasKey, HasPrefix, HasValue, Not
from roadbed.catalog.rules.sources import MANAGED_BY_ORIGIN, location_entity_ref
from roadbed.catalog.service import locations as service
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.sampling import Sampler
from roadbed.catalog.types import LocationSummary, LocationType
from roadbed.core.db import Database

_DEFAULT_LIMIT = 1000


async def list_locations(request: CatalogRequest) -> Answer:
    return Answer.of([{"data": _describe(location)} for location in await _list(request)])


async def query_locations(request: CatalogRequest) -> Answer:
    """Answer POST by-query."""
    body = request.json()
    limit = body.get("limit", _DEFAULT_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise BadRequest("request/body/limit must be number")
    if limit < 1:
        raise BadRequest("Limit must be a positive integer >= 1")
    after, condition = _read_question(body)
    matching = [item for item in map(_describe, await _list(request)) if _fulfils(item, condition)]
    behind = [item for item in matching if after is None or item["id"] > after]
    page = behind[:limit]
    info = {}
    if len(behind) > limit:
        info["nextCursor"] = _write_cursor(page[-1]["id"], body.get("query"))
    return Answer.of({"items": page, "totalItems": len(matching), "pageInfo": info})


async def get_location(request: CatalogRequest) -> Answer:
    return Answer.of(_describe(await _find(request)))


async def get_location_by_entity(request: CatalogRequest) -> Answer:
    """Return the location that an entity comes from in the end."""
    ref = f"{request.segments[2]}:{'/'.join(request.segments[3:5])}".lower()
    document = request.services.get(CatalogIndex).index.find(ref)
    if document is None:
        raise EntityNotFound(f"found no entity for ref {ref}")
    origin = (orjson.loads(document)["metadata"].get("annotations") or {}).get(MANAGED_BY_ORIGIN, "")
    type_, _, target = origin.partition(":")
    for location in await _list(request):
        if (location.type, location.target) == (type_, target):
            return Answer.of(_describe(location))
    raise LocationNotFound(f"Found no location with type {type_} and target {target}")


async def add_location(request: CatalogRequest) -> Answer:
    """Register a location, or only tell what it would bring."""
    wanted = _read_location(request)
    is_dry = request.choice("dryRun", "true", "false") == "true"
    on_conflict = request.choice("onConflict", "refresh", "reject")
    if is_dry:
        return await _try_out(request, wanted)
    async with request.services.get(Database).write() as session:
        try:
            location, _ = await service.register_location(session, request.actor, type_=LocationType.URL, target=wanted)
        except LocationExists as error:
            if on_conflict != "refresh":
                raise LocationExists(f"Location url:{wanted} already exists") from error
            location = await service.get_location(session, UUID(error.context["location_id"]))
            await service.refresh_location(session, request.actor, location.id)
    return Answer.of({"location": _describe(location), "entities": []}, status=201)


async def change_location(request: CatalogRequest) -> Answer:
    """Have a location read from elsewhere."""
    location = await _find(request)
    wanted = _read_location(request)
    async with request.services.get(Database).write() as session:
        try:
            changed = await service.move_location(session, request.actor, location.id, target=wanted)
        except LocationExists as error:
            raise LocationExists(f"Location url:{wanted} already exists") from error
    return Answer.of(_describe(changed))


async def remove_location(request: CatalogRequest) -> Answer:
    location = await _find(request)
    async with request.services.get(Database).write() as session:
        await service.remove_location(session, request.actor, location.id)
    return Answer.nothing(204)


async def _try_out(request: CatalogRequest, target: str) -> Answer:
    if not target:
        raise BadRequest(
            "TypeError: Unable to parse location ref 'url:', expected '<type>:<target>', e.g. 'url:https://host/path'"
        )
    try:
        documents = await request.services.get(Sampler).read_once(target)
    except (LocationUnreadable, EntityInvalid) as error:
        raise BadRequest(error.message, hint=error.hint) from error
    is_known = any(location.target == target for location in await _list(request))
    location = {"id": f"url:{target}", "type": "url", "target": target}
    location["entityRef"] = location_entity_ref("url", target)
    return Answer.of({"location": location, "entities": documents, "exists": is_known}, status=201)


async def _list(request: CatalogRequest) -> list[LocationSummary]:
    async with request.services.get(Database).read() as session:
        return await service.list_foreign_locations(session)


async def _find(request: CatalogRequest) -> LocationSummary:
    text = request.segments[1]
    try:
        wanted = UUID(text)
    except ValueError as error:
        raise LocationNotFound(f"Found no location with ID {text}") from error
    for location in await _list(request):
        if location.id == wanted:
            return location
    raise LocationNotFound(f"Found no location with ID {text}")


def _read_location(request: CatalogRequest) -> str:
    """Return the target of the location in the body."""
    body = request.json()
    for name in ("target", "type"):
        if name not in body:
            raise BadRequest(f"request/body must have required property '{name}'")
        if not isinstance(body[name], str):
            raise BadRequest(f"request/body/{name} must be string")
    unknown = body.keys() - {"target", "type"}
    if unknown:
        raise BadRequest(f"Malformed request: Unrecognized key(s) in object: '{min(unknown)}'")
    if body["type"] != "url":
        raise LocationInvalid('Registered locations must be of an allowed type ["url"]')
    target: str = body["target"]
    return target


def _describe(location: LocationSummary) -> dict[str, str]:
    return {
        "id": str(location.id),
        "type": location.type,
        "target": location.target,
        "entityRef": location.entity_ref,
    }


def _read_question(body: dict[str, Any]) -> tuple[str | None, Condition]:
    """Return behind which id to go on, and the condition."""
    query, after = body.get("query"), None
    if body.get("cursor") is not None:
        try:
            after, query = orjson.loads(base64.urlsafe_b64decode(body["cursor"]))
        except (binascii.Error, ValueError, TypeError) as error:
            raise BadQuestion(f"Malformed cursor: {error}") from error
    if query is not None and not isinstance(query, dict):
        raise BadRequest("request/body/query must be object")
    return after, EVERYTHING if query is None else parse_predicate(query)


def _write_cursor(after: str, query: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([after, query])).decode()


def _fulfils(item: dict[str, str], condition: Condition) -> bool:
    """Tell whether a location fulfils a condition; there are few of them, and no index."""
    fields = {name.lower(): value.lower() for name, value in item.items()}
    match condition:
        case HasValue(key, values):
            return fields.get(key) in values
        case HasKey(key):
            return key in fields
        case HasPrefix(key, prefix):
            return fields.get(key, "").startswith(prefix) and key in fields
        case AllOf(parts):
            return all(_fulfils(item, part) for part in parts)
        case AnyOf(parts):
            return any(_fulfils(item, part) for part in parts)
        case Not(part):
            return not _fulfils(item, part)
        case _:
            return False
