"""The application at `/api/catalog`: which operation is meant, who asks, what is answered."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from roadbed.catalog.access import ENTITY_READ, ENTITY_WRITE, LOCATION_READ, LOCATION_WRITE
from roadbed.catalog.api.backstage import changes, entities, locations
from roadbed.catalog.api.backstage.http import (
    Answer,
    BadRequest,
    CatalogRequest,
    answer_error,
    read_parameters,
    read_segments,
)
from roadbed.catalog.rules.backstage.errors import BadQuestion
from roadbed.core.access import DeciderService, Permission, actor_of_scope
from roadbed.core.errors import RoadbedError
from roadbed.core.headers import find_header
from roadbed.core.services import Services

log = structlog.get_logger(__name__)

PREFIX = "/api/catalog"
_ANY = ""
_QUERY = ("filter", "fields", "limit", "offset", "orderField", "cursor", "totalItems", "fullTextFilterTerm")


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the operations; an empty text in `parts` stands for any. `parameters` are those of the query string."""

    method: str
    path: str
    parts: tuple[str, ...]
    permission: Permission
    handle: Callable[[CatalogRequest], Awaitable[Answer]]
    parameters: frozenset[str] = frozenset()

    def fits(self, segments: Sequence[str]) -> bool:
        return all(
            segment != "" if part == _ANY else part == segment.lower()
            for part, segment in zip(self.parts, segments, strict=True)
        )


def _operation(
    method: str,
    path: str,
    permission: Permission,
    handle: Callable[[CatalogRequest], Awaitable[Answer]],
    parameters: Iterable[str] = (),
) -> Operation:
    parts = tuple(_ANY if part == "*" else part for part in path.split("/"))
    return Operation(method, f"{PREFIX}/{path}", parts, permission, handle, frozenset(parameters))


OPERATIONS = (
    _operation("GET", "entities/by-name/*/*/*", ENTITY_READ, entities.get_by_name),
    _operation("GET", "entities/by-query", ENTITY_READ, entities.query_entities, (*_QUERY, "fullTextFilterFields")),
    _operation("POST", "entities/by-query", ENTITY_READ, entities.query_by_predicate),
    _operation("POST", "entities/by-refs", ENTITY_READ, entities.list_by_refs, ("filter",)),
    _operation("GET", "entity-facets", ENTITY_READ, entities.list_facets, ("facet", "filter")),
    _operation("POST", "entity-facets", ENTITY_READ, entities.list_facets_by_predicate),
    _operation(
        "GET",
        "entities",
        ENTITY_READ,
        entities.list_entities,
        ("filter", "fields", "limit", "offset", "after", "order"),
    ),
    _operation("GET", "entities/by-uid/*", ENTITY_READ, entities.get_by_uid),
    _operation("DELETE", "entities/by-uid/*", ENTITY_WRITE, changes.delete_by_uid),
    _operation("GET", "entities/by-name/*/*/*/ancestry", ENTITY_READ, changes.list_ancestry),
    _operation("POST", "refresh", LOCATION_WRITE, changes.refresh),
    _operation("POST", "validate-entity", ENTITY_READ, changes.validate),
    _operation("POST", "analyze-location", ENTITY_READ, changes.analyze),
    _operation("GET", "locations", LOCATION_READ, locations.list_locations),
    _operation("POST", "locations", LOCATION_WRITE, locations.add_location, ("dryRun", "onConflict")),
    _operation("POST", "locations/by-query", LOCATION_READ, locations.query_locations),
    _operation("GET", "locations/by-entity/*/*/*", LOCATION_READ, locations.get_location_by_entity),
    _operation("GET", "locations/*", LOCATION_READ, locations.get_location),
    _operation("PUT", "locations/*", LOCATION_WRITE, locations.change_location),
    _operation("DELETE", "locations/*", LOCATION_WRITE, locations.remove_location),
)
_BY_LENGTH: dict[int, tuple[Operation, ...]] = {
    length: tuple(operation for operation in OPERATIONS if len(operation.parts) == length) for length in range(1, 7)
}


class BackstageCatalog:
    """The application."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        path = scope["path"][len(PREFIX) :]
        try:
            answer = await self._answer(scope, receive)
        except BadQuestion as error:
            answer = answer_error(BadRequest(str(error)), method=method, url=path)
        except ClientDisconnect:
            return  # nobody is left to answer
        except RoadbedError as error:
            answer = answer_error(error, method=method, url=path)
        await _send(answer, scope, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        actor = await actor_of_scope(scope, self._services)
        raw = scope["raw_path"][len(PREFIX) + 1 :]
        segments = read_segments(raw.removesuffix(b"/"))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        candidates = _BY_LENGTH.get(len(segments), ())
        operation = next((one for one in candidates if one.method == method and one.fits(segments)), None)
        if operation is None:
            self._services.get(DeciderService).require(actor, ENTITY_READ)
            return _say_methods([one for one in candidates if one.fits(segments)], method)
        scope["route"] = operation
        self._services.get(DeciderService).require(actor, operation.permission)
        parameters = read_parameters(scope["query_string"], operation.parameters) if scope["query_string"] else {}
        request = CatalogRequest(
            services=self._services,
            actor=actor,
            path=scope["path"][len(PREFIX) :],
            segments=segments,
            parameters=parameters,
            content_type=find_header(scope, b"content-type") or "",
            body=b"" if method == "GET" else await _read_body(receive),
        )
        return await operation.handle(request)


def open_backstage(services: Services) -> ASGIApp:
    return BackstageCatalog(services)


def _say_methods(operations: Sequence[Operation], method: str) -> Answer:
    """Say with which methods a path can be asked; whatever else is asked of one is answered with 404, as in Express."""
    if method != "OPTIONS" or not operations:
        return Answer.nothing(404)
    methods = {operation.method for operation in operations}
    names = ["HEAD"] if "GET" in methods else []
    return Answer(
        ",".join(sorted({*methods, *names})).encode(), content_type=b"text/html; charset=utf-8", is_tagged=True
    )


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    headers = []
    if answer.content_type is not None:
        headers.append((b"content-type", answer.content_type))
    if answer.link is not None:
        headers.append((b"link", answer.link.encode("latin-1", "replace")))
    if answer.is_tagged:
        tag = answer.tag()
        headers.append((b"etag", tag))
        if (
            answer.status == 200
            and scope["method"] in ("GET", "HEAD")
            and tag in (find_header(scope, b"if-none-match") or "").encode()
        ):
            answer = replace(answer, status=304, body=b"")
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
