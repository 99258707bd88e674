"""What changes something, or judges: delete, refresh, validate, ancestry, analyse."""

from collections.abc import Iterator

import orjson

from roadbed.catalog.api.backstage.http import Answer, BadRequest, CatalogRequest
from roadbed.catalog.errors import EntityNotFound
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.index.conditions import AllOf, HasValue
from roadbed.catalog.rules.index.entries import LOCATION
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.sources import InvalidLocationRef, parse_location_ref
from roadbed.catalog.rules.targets import TargetError, is_glob, match_glob, resolve, targets_of_document
from roadbed.catalog.rules.urls import is_url
from roadbed.catalog.rules.validation import check
from roadbed.catalog.service import entities, locations
from roadbed.catalog.service.index import CatalogIndex
from roadbed.core.db import Database
from roadbed.kit.refs import parse_ref


async def delete_by_uid(request: CatalogRequest) -> Answer:
    """Delete an entity that no location holds, or remove the location that a Location entity stands for."""
    index = request.services.get(CatalogIndex).index
    found = index.select(HasValue("metadata.uid", (request.segments[2].lower(),)))
    if found:
        number = found[0]
        async with request.services.get(Database).write() as session:
            location = await location_rows.find_by_entity_ref(session, index.ref_of(number))
            if location is not None:
                await locations.remove_location(session, request.actor, location.id)
            else:
                await entities.delete_entity(session, request.actor, parse_ref(index.ref_of(number)))
    return Answer.nothing(204)


async def refresh(request: CatalogRequest) -> Answer:
    """Read again where an entity comes from."""
    body = request.json()
    if "entityRef" not in body:
        raise BadRequest("request/body must have required property 'entityRef'")
    ref = body["entityRef"]
    if not isinstance(ref, str):
        raise BadRequest("request/body/entityRef must be string")
    if body.keys() - {"entityRef", "authorizationToken"}:
        raise BadRequest("request/body must NOT have additional properties")
    async with request.services.get(Database).write() as session:
        location_id = await location_rows.find_source(session, ref.lower()) if ref else None
        if location_id is not None:
            await locations.refresh_location(session, request.actor, location_id)
        elif request.services.get(CatalogIndex).index.find(ref.lower()) is None:
            raise EntityNotFound(f"Entity {ref} not found")
    return Answer.nothing()


async def validate(request: CatalogRequest) -> Answer:
    """Tell whether an entity could be taken, with everything that is wrong with it."""
    body = request.json()
    for name, kind, word in (("entity", dict, "object"), ("location", str, "string")):
        if name not in body:
            raise BadRequest(f"request/body must have required property '{name}'")
        if not isinstance(body[name], kind):
            raise BadRequest(f"request/body/{name} must be {word}")
    try:
        parse_location_ref(body["location"])
    except InvalidLocationRef as error:
        return Answer.of({"errors": [{"name": "TypeError", "message": str(error)}]}, status=400)
    problems = [
        f"{problem.reason} {problem.hint}".strip()
        for problem in check(from_json(body["entity"]), request.services.get(Kinds))
        if problem.is_error
    ]
    if problems:
        return Answer.of({"errors": [{"name": "InputError", "message": text} for text in problems]}, status=400)
    return Answer.nothing()


async def list_ancestry(request: CatalogRequest) -> Answer:
    """Return an entity, the Location entities that led to the file it is read from, and so on up to its location."""
    index = request.services.get(CatalogIndex).index
    ref = ":".join((request.segments[2], "/".join(request.segments[3:5]))).lower()
    if index.find(ref) is None:
        raise EntityNotFound(f"No such entity {ref}")
    refs, items = [ref], []
    for current in refs:  # grows while it is walked
        parents = _find_parents(index, current)
        refs += [parent for parent in parents if parent not in refs]
        items.append(b'{"entity":%s,"parentEntityRefs":%s}' % (index.find(current), orjson.dumps(parents)))
    return Answer(b'{"rootEntityRef":%s,"items":[%s]}' % (orjson.dumps(ref), b",".join(items)), is_tagged=True)


async def analyze(request: CatalogRequest) -> Answer:
    """Say which entities come from an address already, or what a file for it could begin with."""
    body = request.json()
    if "location" not in body:
        raise BadRequest("request/body must have required property 'location'")
    location = body["location"]
    if not isinstance(location, dict):
        raise BadRequest("request/body/location must be object")
    target = location.get("target")
    if not isinstance(target, str) or not is_url(target):
        raise BadRequest("The given location.target is not a URL")
    index = request.services.get(CatalogIndex).index
    key = "metadata.annotations.backstage.io/managed-by-origin-location"
    held = [index.document_of(number) for number in index.select(HasValue(key, (f"url:{target}".lower(),)))]
    existing = [{"location": location, "isRegistered": True, "entity": orjson.loads(document)} for document in held]
    name = target.rstrip("/").rpartition("/")[2].removesuffix(".git").removesuffix(".yaml").lower()
    entity = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {"type": "other", "lifecycle": "unknown"},
    }
    generated = [] if existing else [{"entity": entity, "fields": []}]
    return Answer.of({"existingEntityFiles": existing, "generateEntities": generated})


def _find_parents(index: Index, ref: str) -> list[str]:
    number = index.number_of(ref)
    record = orjson.loads(index.record_of(number)) if number is not None else {}
    location_id = record.get("location_id")
    if not location_id:
        return []
    parents = [parent for parent in _leading_to(index, location_id, record["file"]) if parent != ref]
    if parents:
        return parents
    stands_for = index.select(HasValue("metadata.uid", (location_id,)))
    return [index.ref_of(number) for number in stands_for]


def _leading_to(index: Index, location_id: str, file: str) -> Iterator[str]:
    """Yield the Location entities of a location that name a file."""
    condition = AllOf((HasValue("kind", ("location",)), HasValue(LOCATION, (location_id,))))
    for number in index.select(condition):
        record = orjson.loads(index.record_of(number))
        document = orjson.loads(index.document_of(number))
        for target in targets_of_document(index.ref_of(number), document, record["file"], record["line"]):
            try:
                path = resolve(record["file"], target.text)
            except TargetError:
                continue
            if path == file or (is_glob(path) and match_glob(path, [file])):
                yield index.ref_of(number)
                break
