"""Reading entities: by name, uid and refs, lists and queries, facets."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from pyroaring import BitMap

from roadbed.catalog.api.backstage.http import Answer, BadRequest, CatalogRequest
from roadbed.catalog.errors import EntityNotFound
from roadbed.catalog.rules.backstage.cursors import Cursor, Question, turn
from roadbed.catalog.rules.backstage.fields import parse_fields, select_fields
from roadbed.catalog.rules.backstage.filters import parse_filters
from roadbed.catalog.rules.backstage.predicates import parse_predicate
from roadbed.catalog.rules.index.conditions import EVERYTHING, Condition, HasValue
from roadbed.catalog.rules.index.entries import FOREIGN
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.pages import Listing, Sorting
from roadbed.catalog.rules.index.rows import TRUE
from roadbed.catalog.service.index import CatalogIndex

T = TypeVar("T")

DEFAULT_LIMIT = 200
_SCOPE = HasValue(FOREIGN, (TRUE,))


async def get_by_name(request: CatalogRequest) -> Answer:
    index = _index(request)
    kind, namespace, name = request.segments[2:5]
    number = _visible(index, f"{kind}:{namespace}/{name}".lower())
    if number is None:
        raise EntityNotFound(f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'")
    return Answer(index.document_of(number))


async def get_by_uid(request: CatalogRequest) -> Answer:
    index = _index(request)
    uid = request.segments[2]
    found = index.select(HasValue("metadata.uid", (uid.lower(),))) & index.select(_SCOPE)
    if not found:
        raise EntityNotFound(f"No entity with uid {uid}")
    return Answer(index.document_of(found[0]))


async def list_by_refs(request: CatalogRequest) -> Answer:
    index = _index(request)
    body = request.json()
    refs = body.get("entityRefs")
    if not isinstance(refs, list) or not all(isinstance(ref, str) for ref in refs):
        raise BadRequest('Malformed request body, Validation error: Required at "entityRefs"')
    fields = parse_fields(_texts(body, "fields"))
    allowed = _select(index, parse_filters(request.texts("filter")))
    if body.get("query") is not None:
        allowed = allowed & index.select(parse_predicate(body["query"]))
    numbers = [index.number_of(ref) for ref in refs]
    items = [
        b"null" if number is None or number not in allowed else _write(index, number, fields) for number in numbers
    ]
    return Answer(b'{"items":[' + b",".join(items) + b"]}", is_tagged=bool(fields))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a query wants to see of what it asks for."""

    question: Question
    cursor: Cursor | None
    fields: Sequence[str]
    limit: int
    offset: int
    is_counted: bool


async def query_entities(request: CatalogRequest) -> Answer:
    """Answer GET by-query."""
    limit, offset = request.integer("limit"), request.integer("offset")
    text = request.text("cursor")
    cursor = None if text is None else Cursor.decode(text)
    wish = Wish(
        question=cursor.question if cursor else _read_question(request),
        cursor=cursor,
        fields=parse_fields(request.texts("fields")),
        limit=DEFAULT_LIMIT if limit is None else limit,
        offset=offset or 0,
        is_counted=request.choice("totalItems", "include", "exclude") != "exclude",
    )
    return _answer_query(_index(request), wish)


async def query_by_predicate(request: CatalogRequest) -> Answer:
    """Answer POST by-query."""
    body = request.json()
    text = _typed(body, "cursor", str, "string")
    limit, offset = _whole(body, "limit"), _whole(body, "offset")
    total = _typed(body, "totalItems", str, "string")
    if total not in (None, "include", "exclude"):
        raise BadRequest("request/body/totalItems must be equal to one of the allowed values: include, exclude")
    cursor = None if text is None else Cursor.decode(text)
    wish = Wish(
        question=cursor.question if cursor else _read_body_question(body),
        cursor=cursor,
        fields=parse_fields(_texts(body, "fields")),
        limit=DEFAULT_LIMIT if limit is None else limit,
        offset=offset or 0,
        is_counted=total != "exclude",
    )
    return _answer_query(_index(request), wish)


async def list_facets(request: CatalogRequest) -> Answer:
    """Answer GET entity-facets."""
    if "facet" not in request.parameters:
        raise BadRequest("request/query must have required property 'facet'")
    return _answer_facets(_index(request), request.texts("facet"), parse_filters(request.texts("filter")))


async def list_facets_by_predicate(request: CatalogRequest) -> Answer:
    """Answer POST entity-facets."""
    body = request.json()
    if "facets" not in body:
        raise BadRequest("request/body must have required property 'facets'")
    query = _typed(body, "query", dict, "object")
    condition = None if query is None else parse_predicate(query)
    return _answer_facets(_index(request), _texts(body, "facets"), condition)


async def list_entities(request: CatalogRequest) -> Answer:
    """Answer GET entities: everything at once, or pages by offset."""
    index = _index(request)
    selection = _select(index, parse_filters(request.texts("filter")))
    fields = parse_fields(request.texts("fields"))
    orders = [_read_old_order(text) for text in request.texts("order")]
    limit, offset = request.integer("limit", least=1), request.integer("offset")
    after = request.text("after")
    if after is not None:
        limit, offset = _read_after(after)
    if limit is None and offset is None:
        listing = Listing(index, selection, Sorting(*orders[0]) if orders else Sorting())
        numbers: Sequence[int] = listing.take(len(index) * 100).numbers
        return Answer(_array(index, numbers, fields), is_tagged=not numbers)
    ordered = _sort_all(index, selection, orders)
    start = offset or 0
    end = len(ordered) if limit is None else start + limit
    link = _next_link(request, limit, end) if limit is not None and end < len(ordered) else None
    return Answer(_array(index, ordered[start:end], fields), link=link, is_tagged=True)


def _answer_query(index: Index, wish: Wish) -> Answer:
    question = wish.question
    listing = Listing(index, _select(index, question.condition()), question.sorting())
    total = listing.count() if wish.is_counted else 0
    if wish.limit == 0:
        return Answer(b'{"items":[],"totalItems":%d,"pageInfo":{}}' % total, is_tagged=bool(wish.fields))
    turned = turn(listing, question, cursor=wish.cursor, limit=wish.limit, offset=wish.offset)
    cursors = (("nextCursor", turned.next_cursor), ("prevCursor", turned.previous_cursor))
    pages = [f'"{name}":"{cursor}"' for name, cursor in cursors if cursor]
    return Answer(
        b'{"items":%s,"totalItems":%d,"pageInfo":{%s}}'
        % (_array(index, turned.stretch.numbers, wish.fields), total, ",".join(pages).encode()),
        is_tagged=bool(wish.fields),
    )


def _answer_facets(index: Index, names: Sequence[str], condition: Condition | None) -> Answer:
    wanted = [name for name in names if name]
    if not wanted:
        raise BadRequest("Missing or empty facets parameter")
    selection = _select(index, condition)
    facets = {name: sorted(index.facet(name.lower(), selection).items()) for name in wanted}
    return Answer.of(
        {
            "facets": {
                name: [{"value": value, "count": count} for value, count in counts] for name, counts in facets.items()
            }
        }
    )


def _index(request: CatalogRequest) -> Index:
    return request.services.get(CatalogIndex).index


def _select(index: Index, condition: Condition | None) -> BitMap:
    """Return what fulfils a condition, of what this API shows."""
    scope = index.select(_SCOPE)
    return scope if condition is None or condition == EVERYTHING else scope & index.select(condition)


def _visible(index: Index, ref: str) -> int | None:
    number = index.number_of(ref)
    return number if number is not None and number in index.select(_SCOPE) else None


def _array(index: Index, numbers: Iterable[int], fields: Sequence[str]) -> bytes:
    if not fields:
        return b"[" + b",".join(map(index.document_of, numbers)) + b"]"
    return b"[" + b",".join([_write(index, number, fields) for number in numbers]) + b"]"


def _write(index: Index, number: int, fields: Sequence[str]) -> bytes:
    document = index.document_of(number)
    return orjson.dumps(select_fields(orjson.loads(document), fields)) if fields else document


def _read_question(request: CatalogRequest) -> Question:
    return Question(
        filters=tuple(request.texts("filter")),
        term=request.text("fullTextFilterTerm") or "",
        fields=tuple(field for text in request.texts("fullTextFilterFields") for field in text.split(",") if field),
        order=_read_order(request.texts("orderField")),
    )


def _read_body_question(body: dict[str, Any]) -> Question:
    query = _typed(body, "query", dict, "object")
    full_text = _typed(body, "fullTextFilter", dict, "object") or {}
    orders = _typed(body, "orderBy", list, "array") or []
    for place, order in enumerate(orders):
        if not isinstance(order, dict) or not isinstance(order.get("field"), str):
            raise BadRequest(f"request/body/orderBy/{place} must have required property 'field'")
        if order.get("order") not in ("asc", "desc"):
            raise BadRequest(f"request/body/orderBy/{place} must have required property 'order'")
    return Question(
        predicate=query,
        term=_typed(full_text, "term", str, "string") or "",
        fields=tuple(_texts(full_text, "fields")),
        order=(orders[0]["field"].lower(), orders[0]["order"] == "desc") if orders else None,
    )


def _read_order(texts: Sequence[str]) -> tuple[str, bool] | None:
    """Return the first order field of `field[,asc|desc]`; Backstage looks at no other."""
    orders = []
    for text in texts:
        field, _, rest = text.partition(",")
        direction = rest.partition(",")[0]
        if direction not in ("", "asc", "desc"):
            raise BadRequest("Invalid order field order, must be asc or desc")
        orders.append((field.strip().lower(), direction == "desc"))
    return orders[0] if orders else None


def _read_old_order(text: str) -> tuple[str, bool]:
    direction, _, field = text.partition(":")
    if direction not in ("asc", "desc") or not field:
        raise BadRequest(f'Invalid order parameter "{text}", expected "<asc or desc>:<field name>"')
    return field.lower(), direction == "desc"


def _sort_all(index: Index, selection: BitMap, orders: Sequence[tuple[str, bool]]) -> list[int]:
    """Sort by several keys; entities without a value of one come last, whichever way it is sorted."""
    numbers = sorted(selection, key=index.ref_of)
    for key, is_descending in reversed(orders):
        order = index.order(key).select(selection)
        values = dict(zip(reversed(order.numbers), reversed(order.values), strict=True))
        having = [number for number in numbers if number in values]
        having.sort(key=values.__getitem__, reverse=is_descending)
        numbers = having + [number for number in numbers if number not in values]
    return numbers


def _read_after(text: str) -> tuple[int | None, int | None]:
    try:
        data = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadRequest("Malformed after cursor, could not be parsed") from error
    if not isinstance(data, dict):
        raise BadRequest("Malformed after cursor, could not be parsed")
    for name in ("limit", "offset"):
        if data.get(name) is not None and (not isinstance(data[name], int) or data[name] < 0):
            raise BadRequest(f"Malformed after cursor, {name} was not an number")
    return data.get("limit"), data.get("offset") or 0


def _next_link(request: CatalogRequest, limit: int, offset: int) -> str:
    after = base64.urlsafe_b64encode(orjson.dumps({"limit": limit, "offset": offset})).decode()
    pairs = [
        f"{name}={quote(value, safe='')}"
        for name, values in request.parameters.items()
        if name not in ("after", "offset")
        for value in values
    ]
    query = "&".join([*pairs, f"after={quote(after, safe='')}"])
    return f'<{request.path}?{query}>; rel="next"'


def _texts(body: dict[str, Any], name: str) -> list[str]:
    values = _typed(body, name, list, "array") or []
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise BadRequest(f"request/body/{name}/{place} must be string")
    return values


def _whole(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"request/body/{name} must be integer")
    if value < 0:
        raise BadRequest(f"request/body/{name} must be >= 0")
    return value


def _typed(body: dict[str, Any], name: str, kind: type[T], word: str) -> T | None:
    if name not in body:
        return None
    value = body[name]
    if not isinstance(value, kind):
        raise BadRequest(f"request/body/{name} must be {word}")
    return value
