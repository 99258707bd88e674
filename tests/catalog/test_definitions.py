"""Definitions of every format as the common model, and as rows: tables of cases over the pure rules."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from roadbed.catalog.rules.definitions import asyncapi, graphql, grpc, openapi, work
from roadbed.catalog.rules.definitions.expansion import MOST_ROWS, Row, expand_section, expand_type
from roadbed.catalog.rules.definitions.kept import KeptDefinition, unpack
from roadbed.catalog.rules.definitions.model import Broken, BrokenDefinition, Definition, Element
from roadbed.catalog.web.definition_view import DefinitionView

FOLDER = Path(__file__).parent / "definitions"
Read = Callable[[str], Definition]


def load(read: Read, name: str) -> Definition:
    return read((FOLDER / name).read_text())


def element(definition: Definition, id_: str) -> Element:
    return next(one for one in definition.elements if one.id == id_)


def rows(definition: Definition, id_: str, key: str) -> dict[str, Row]:
    """Return the rows of a section by their names, the first of each."""
    types = {one.name: one for one in definition.types}
    section = next(one for one in element(definition, id_).sections if one.key == key)
    return {row.name: row for row in reversed(expand_section(section, types.get))}


def test_openapi_operations_have_groups_parameters_bodies_and_responses() -> None:
    definition = load(openapi.read, "openapi.yaml")
    assert definition.head.format == "OpenAPI 3.1.0"
    assert [group.name for group in definition.head.groups] == ["orders", "Other operations", "Webhooks"]
    assert [(one.label, one.name, one.is_deprecated) for one in definition.head.elements] == [
        ("GET", "/orders", False),
        ("POST", "/orders", False),
        ("DELETE", "/orders/{id}", True),
        ("GET", "/health", False),
        ("POST", "orderPlaced", False),
    ]
    listed = element(definition, "get-/orders")
    assert [section.title for section in listed.sections] == ["Parameters", "Response 200 · application/json"]
    parameters = rows(definition, "get-/orders", "parameters")
    assert list(reversed(parameters)) == ["X-Trace", "state", "limit"]
    assert parameters["state"].enum == ("open", "paid", "sent")
    assert parameters["state"].default == "open"
    assert parameters["limit"].rules == ("at least 1", "at most 100")
    assert parameters["X-Trace"].place == "header"
    assert json.loads(listed.sections[1].examples[0])[0]["total"] == 10.5
    facts = {fact.label: fact.value for fact in element(definition, "delete-/orders/{id}").facts}
    assert facts == {"Sign-in": "token (orders:write)"}


def test_openapi_references_are_followed_once_and_never_outside() -> None:
    definition = load(openapi.read, "openapi.yaml")
    body = rows(definition, "get-/orders", "response 200 application/json")
    assert body["X-Total"].type == "integer"
    assert body[""].type == "list of Order"
    assert body["id"].is_required
    assert body["id"].rules == ("read only",)
    assert body["note"].type == "string or null"
    assert (body["price"].depth, body["sku"].depth) == (2, 2)
    assert body["sku"].rules == ("matches ^[A-Z]+$",)
    assert body["parent"].note == "as above"
    assert body["one of 1"].type == "Card"
    assert body["last4"].depth == body["iban"].depth == 3
    assert "https://example.com/health.json is outside this definition and was not followed." in definition.head.notices
    health = rows(definition, "get-/health", "response 200 application/json")
    assert "not followed" in health[""].note


def test_swagger_is_read_with_its_own_places() -> None:
    definition = load(openapi.read, "swagger.json")
    assert definition.head.facts[0].value == "https://stock.example.com/api"
    body = rows(definition, "put-/items/{sku}", "body")
    assert body["count"].default == "0"
    assert body["count"].type == "integer (int32)"
    assert rows(definition, "post-/items/{sku}", "body multipart/form-data")["picture"].type == "file"


def test_asyncapi_2_has_channels_with_messages() -> None:
    definition = load(asyncapi.read, "asyncapi2.yaml")
    assert [(one.label, one.name, one.group) for one in definition.head.elements] == [
        ("PUBLISH", "askForOrder", "orders/{region}"),
        ("SUBSCRIBE", "onOrder", "orders/{region}"),
    ]
    keys = [section.key for section in element(definition, "subscribe-orders/{region}").sections]
    assert keys == ["parameters", "message Placed", "message Cancelled"]
    assert rows(definition, "subscribe-orders/{region}", "message Placed")["at"].type == "string (date-time)"
    assert "avro" in rows(definition, "subscribe-orders/{region}", "message Cancelled")[""].type
    assert definition.head.groups[0].description == "Each change of an order"


def test_asyncapi_3_has_operations_replies_and_channels_nobody_operates() -> None:
    definition = load(asyncapi.read, "asyncapi3.yaml")
    assert [(one.label, one.name, one.group) for one in definition.head.elements] == [
        ("SEND", "tellPlaced", "shop.orders"),
        ("RECEIVE", "takeCancelled", "shop.orders"),
        ("CHANNEL", "audit", "audit"),
    ]
    taken = [(section.key, section.direction) for section in element(definition, "operation-takeCancelled").sections]
    assert taken == [("message cancelled", "in"), ("reply with message placed", "out")]


def test_graphql_has_queries_mutations_and_types() -> None:
    definition = load(graphql.read, "schema.graphql")
    assert [(one.label, one.name) for one in definition.head.elements] == [
        ("QUERY", "order"),
        ("QUERY", "orders"),
        ("QUERY", "me"),
        ("MUTATION", "place"),
    ]
    assert element(definition, "mutation-place").is_deprecated
    arguments = rows(definition, "query-orders", "arguments")
    assert arguments["state"].default == "OPEN"
    assert arguments["state"].enum == ("OPEN", "PAID", "SENT")
    assert "PAID: Money has come" in arguments["state"].note or arguments["state"].ref == "State"
    result = rows(definition, "query-orders", "result")
    assert result[""].type == "list of Order"
    assert result["currency"].place == "argument"
    assert result["one of 2"].type == "Invoice"
    named = {one.name: one for one in definition.types}
    assert {name: one.label for name, one in named.items()} == {
        "Node": "interface", "Order": "type", "Person": "type", "Card": "type", "Invoice": "type", "Payment": "union",
        "State": "enum", "NewOrder": "input", "Time": "scalar", "@beta": "directive",
    }  # fmt: skip
    assert "SENT: Deprecated: See shipments" in named["State"].shape.note
    order = expand_type(named["Order"], named.get)
    assert order[0].rules == ("implements Node",)


def test_protocol_buffers_have_services_methods_and_messages() -> None:
    definition = load(grpc.read, "service.proto")
    assert [(one.group, one.name, one.is_deprecated) for one in definition.head.elements] == [
        ("Orders", "Read", False),
        ("Orders", "Watch", True),
    ]
    assert definition.head.groups[0].description == "Places and reads orders."
    assert element(definition, "Orders.Read").description == "Reads one order."
    assert element(definition, "Orders.Watch").facts[0].value == "server"
    assert rows(definition, "Orders.Read", "request")["id"].description == "its number"
    answer = rows(definition, "Orders.Read", "response")
    assert answer["lines"].type == "list of Order.Line"
    assert answer["lines"].description == "what is in it"
    assert answer["by_sku"].type == "map of string to Order.Line"
    assert answer["by_sku"].is_deprecated
    assert answer["invoice"].rules == ("number 7", "one of the group payment")
    assert answer["at"].ref == ""
    assert answer["note"].place == "optional"
    named = {one.name: one for one in definition.types}
    line = {row.name: row for row in expand_type(named["Order.Line"], named.get)}
    assert line["state"].type == "Order.Line.State"
    assert named["State"].shape.note == "OPEN: nothing yet\nPAID: money has come"
    assert definition.head.notices == ("google/protobuf/timestamp.proto is imported and was not followed.",)


BROKEN = [
    (openapi.read, "", 0, "empty"),
    (openapi.read, "openapi: 3.0.0\npaths:\n  /a: [\n", 4, "cannot be read"),
    (openapi.read, '{"openapi": "3.0.0",\n "paths": ]}', 2, "JSON"),
    (openapi.read, "title: nothing\n", 1, "neither `openapi` nor `swagger`"),
    (openapi.read, "- a\n", 1, "not a mapping"),
    (openapi.read, "openapi: 3.0.0\na: " + "[" * 200, 2, "levels deep"),
    (openapi.read, '{"openapi": "3.0.0", "a": ' + '{"a":' * 200 + "1" + "}" * 201, 0, "levels deep"),
    (asyncapi.read, "asyncapi: 1.2.0\n", 1, "AsyncAPI 1.2.0 is not read"),
    (asyncapi.read, "openapi: 3.0.0\n", 1, "no `asyncapi`"),
    (graphql.read, "type Query {\n  a: \n}\n", 3, "Expected Name"),
    (graphql.read, "", 1, "Unexpected <EOF>"),
    (graphql.read, "type Query { a: " + "[" * 5_000 + "A" + "]" * 5_000 + " }", 1, "nested too deeply"),
    (graphql.read, "query { a }", 1, "defines no types"),
    (grpc.read, 'syntax = "proto3";\nmessage A {\n  string a = 1\n}\n', 4, "';' is expected"),
    (grpc.read, "message A {", 1, "ends in the middle"),
    (grpc.read, "message A { string a = 1; } /* open", 1, "a comment does not end"),
    (grpc.read, "message A {" * 100, 1, "levels deep"),
    (grpc.read, 'syntax = "proto3";', 1, "declares no service"),
    (grpc.read, "option a = {{{{", 1, "ends in the middle"),
]


@pytest.mark.parametrize(("read", "text", "line", "words"), BROKEN)
def test_broken_definition_says_where_and_why(read: Read, text: str, line: int, words: str) -> None:
    with pytest.raises(BrokenDefinition) as raised:
        read(text)
    assert raised.value.broken.line == line
    assert words in raised.value.broken.reason


ODD = [
    {"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": "x", "responses": [], "tags": [1], "security": "y"}}}},
    {"openapi": "3.0.0", "paths": {"/a": {"get": {"requestBody": {"content": {"x": 1}}, "responses": {"200": None}}}}},
    {"openapi": "3.0.0", "paths": [], "tags": "x", "servers": {}, "components": 3, "info": []},
    {"openapi": 3.0, "paths": {"/a": {"$ref": "#/paths/~1a"}}},
    {
        "openapi": "3.0.0",
        "components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}, "B": {"type": 1, "enum": 2}}},
    },
    {"openapi": "3.0.0", "components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}], "items": 1}}}},
    {
        "openapi": "3.0.0",
        "webhooks": {"a": {"post": {"callbacks": {"b": 1}, "responses": {"200": {"headers": {"h": 1}}}}}},
    },
]


@pytest.mark.parametrize("document", ODD)
def test_what_is_not_as_it_should_be_is_left_out(document: dict[str, Any]) -> None:
    definition = openapi.read(json.dumps(document))
    types = {one.name: one for one in definition.types}
    for one in definition.elements:
        for section in one.sections:
            expand_section(section, types.get)
    for named in definition.types:
        expand_type(named, types.get)


def hostile_schemas(count: int, *, has_parts: bool) -> dict[str, Any]:
    """Schemas that each hold the next one several times, the last one the first: written out they would never end."""

    def make(number: int) -> dict[str, Any]:
        following = {"$ref": f"#/components/schemas/S{(number + 1) % count}"}
        properties = {f"p{index}": following for index in range(10)}
        return {"allOf": [following] * 3, "properties": properties} if has_parts else {"properties": properties}

    return {f"S{number}": make(number) for number in range(count)}


@pytest.mark.parametrize(("has_parts", "last"), [(False, "There is more"), (True, "as above")])
def test_types_that_hold_each_other_many_times_stay_small(last: str, *, has_parts: bool) -> None:
    schemas = hostile_schemas(60, has_parts=has_parts)
    definition = openapi.read(json.dumps({"openapi": "3.0.0", "components": {"schemas": schemas}}))
    types = {one.name: one for one in definition.types}
    began = time.process_time()
    found = [expand_type(named, types.get) for named in definition.types[:5]]
    assert time.process_time() - began < 2
    assert max(map(len, found)) <= MOST_ROWS + 2
    assert last in found[0][-1].note


def test_model_survives_the_way_between_processes() -> None:
    text = (FOLDER / "openapi.yaml").read_bytes()
    written = work.read(b"openapi\n" + text)
    kept = unpack(written)
    assert isinstance(kept, KeptDefinition)
    definition = openapi.read(text.decode())
    assert kept.head == definition.head
    assert [kept.find_element(one.id) for one in kept.head.elements] == list(definition.elements)
    assert [kept.find_type(one.name) for one in kept.head.types] == list(definition.types)
    assert kept.find_element("type:Order") is None
    assert orjson.loads(kept.write())["head"]["title"] == "Orders"
    assert unpack(work.read(b"openapi\n{")) == Broken(
        reason="The JSON cannot be read: unexpected end of data.", hint="Correct this place.", line=1, column=2
    )


def nest(levels: int) -> dict[str, Any]:
    """Return a schema with arrays in objects, each inside the other."""
    schema: dict[str, Any] = {"type": "string"}
    for level in range(levels):
        schema = {"items": schema} if level % 2 else {"properties": {"inner": schema}}
    return schema


def test_deepest_document_that_is_read_can_be_kept_and_shown() -> None:
    document = {"openapi": "3.0.0", "components": {"schemas": {"Deep": nest(60)}}}
    kept = unpack(work.read(b"openapi\n" + orjson.dumps(document)))
    assert isinstance(kept, KeptDefinition)
    named = kept.find_type("Deep")
    assert named is not None
    assert expand_type(named, kept.find_type)[-1].note == "deeper levels are not shown here"


def test_long_names_and_texts_are_cut_where_they_are_shown() -> None:
    name = "n" * 100_000
    schema = {"type": "object", "properties": {name: {"enum": [name], "default": name, "description": name * 5}}}
    document = {
        "openapi": "3.0.0",
        "tags": [{"name": "t", "description": name}],
        "components": {"schemas": {name: schema}},
    }
    kept = unpack(work.read(b"openapi\n" + orjson.dumps(document)))
    assert isinstance(kept, KeptDefinition)
    part = DefinitionView(kept, base="/here", query={}).show("").types
    assert part is not None
    body = part.parts[0].body
    assert body is not None
    (row,) = body.sections[0].rows
    assert len(row.row.name) == len(row.row.default) == len(row.row.enum[0]) == 300
    assert len(row.prose) < 21_000
