"""OpenAPI 2.0 (Swagger), 3.0 and 3.1 as the common model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.definitions.model import (
    BrokenDefinition,
    Definition,
    Direction,
    Element,
    Fact,
    Field,
    Head,
    Section,
    Shape,
    assemble,
)
from roadbed.catalog.rules.definitions.schemas import SchemaReader
from roadbed.catalog.rules.definitions.sources import Pointers, load, mapping, sequence, text_of
from roadbed.catalog.rules.definitions.text import write_example, write_value

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_OTHERS = "Other operations"
_MOST_EXAMPLES = 10


def read(text: str) -> Definition:
    """Return the model of a definition.

    Raises:
        BrokenDefinition: it is none.
    """
    root = load(text)
    version = text_of(root, "openapi") or text_of(root, "swagger")
    if not version:
        raise BrokenDefinition(
            "It has neither `openapi` nor `swagger` at its top.", "Write the version there: `openapi: 3.1.0`.", line=1
        )
    return _Reader(root, version).read()


@dataclass(frozen=True)
class _Place:
    """One operation with its path."""

    path: str
    method: str
    node: dict[str, Any]
    shared: list[Any]
    is_webhook: bool = False


class _Reader:
    def __init__(self, root: dict[str, Any], version: str) -> None:
        self._root = root
        self._version = version
        self._is_old = version.startswith("2")
        self._pointers = Pointers(root)
        home = "#/definitions/" if self._is_old else "#/components/schemas/"
        self._schemas = SchemaReader(self._pointers, home=home)

    def read(self) -> Definition:
        info = mapping(self._root, "info")
        elements = [self._element(place) for place in self._places()]
        named = mapping(self._root, "definitions") if self._is_old else mapping(self._components, "schemas")
        types = self._schemas.read_types(named)
        head = Head(
            format=f"OpenAPI {self._version}",
            title=text_of(info, "title"),
            version=text_of(info, "version"),
            description=text_of(info, "description"),
            facts=tuple(self._facts(info)),
            notices=(*self._pointers.problems.values(), *self._schemas.notices),
        )
        tags = [tag for tag in sequence(self._root, "tags") if isinstance(tag, dict)]
        return assemble(
            head, elements, types, groups={text_of(tag, "name"): text_of(tag, "description") for tag in tags}
        )

    @property
    def _components(self) -> dict[str, Any]:
        return mapping(self._root, "components")

    def _facts(self, info: dict[str, Any]) -> Iterator[Fact]:
        servers = [text_of(server, "url") for server in sequence(self._root, "servers")]
        if self._is_old and text_of(self._root, "host"):
            schemes = sequence(self._root, "schemes") or ["https"]
            place = text_of(self._root, "host") + text_of(self._root, "basePath")
            servers = [f"{scheme}://{place}" for scheme in schemes if isinstance(scheme, str)]
        yield from (Fact(label="Server", value=server) for server in servers[:20] if server)
        ways = mapping(self._root, "securityDefinitions") or mapping(self._components, "securitySchemes")
        for name, scheme in ways.items():
            yield Fact(label="Sign-in", value=f"{name}: {_describe_scheme(self._pointers.follow(scheme))}")
        contact = mapping(info, "contact")
        told = [text_of(contact, key) for key in ("name", "email", "url") if text_of(contact, key)]
        if told:
            yield Fact(label="Contact", value=", ".join(told))
        if text_of(mapping(info, "license"), "name"):
            yield Fact(label="Licence", value=text_of(mapping(info, "license"), "name"))

    def _places(self) -> Iterator[_Place]:
        for path, item in mapping(self._root, "paths").items():
            yield from self._places_of(path, item)
        for name, item in mapping(self._root, "webhooks").items():
            yield from self._places_of(name, item, is_webhook=True)

    def _places_of(self, path: str, item: Any, *, is_webhook: bool = False) -> Iterator[_Place]:
        node = self._pointers.follow(item)
        for method in _METHODS:
            if isinstance(node.get(method), dict):
                yield _Place(path, method, node[method], sequence(node, "parameters"), is_webhook)

    def _element(self, place: _Place) -> Element:
        node = place.node
        tags = [tag for tag in sequence(node, "tags") if isinstance(tag, str)]
        return Element(
            id=f"{'webhook-' if place.is_webhook else ''}{place.method}-{place.path}",
            label=place.method.upper(),
            name=place.path,
            group="Webhooks" if place.is_webhook else tags[0] if tags else _OTHERS,
            summary=text_of(node, "summary"),
            description=text_of(node, "description"),
            is_deprecated=node.get("deprecated") is True,
            facts=tuple(self._operation_facts(node)),
            sections=tuple(self._sections(place)),
        )

    def _operation_facts(self, node: dict[str, Any]) -> Iterator[Fact]:
        if text_of(node, "operationId"):
            yield Fact(label="Operation", value=text_of(node, "operationId"))
        security = node.get("security", self._root.get("security"))
        if isinstance(security, list) and security:
            ways = [_describe_requirement(way) for way in security if isinstance(way, dict)]
            yield Fact(label="Sign-in", value=" or ".join(ways), is_contract=True)
        if mapping(node, "callbacks"):
            yield Fact(label="Calls back", value=", ".join(mapping(node, "callbacks")))

    def _sections(self, place: _Place) -> Iterator[Section]:
        """Yield what is sent and what comes back; at a webhook it is the API that sends."""
        sent, got = (Direction.OUT, Direction.IN) if place.is_webhook else (Direction.IN, Direction.OUT)
        parameters = self._parameters(place)
        fields = tuple(self._parameter(node) for node in parameters if node.get("in") not in ("body", "formData"))
        if fields:
            yield Section(key="parameters", title="Parameters", direction=sent, fields=fields)
        yield from self._old_bodies(place.node, parameters, sent) if self._is_old else self._bodies(place.node, sent)
        for code, node in mapping(place.node, "responses").items():
            yield from self._responses(code, self._pointers.follow(node), got)

    def _parameters(self, place: _Place) -> list[dict[str, Any]]:
        """Return the parameters of an operation; its own take the place of the path's of the same name."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for node in [*place.shared, *sequence(place.node, "parameters")]:
            parameter = self._pointers.follow(node)
            if text_of(parameter, "name"):
                found[text_of(parameter, "in"), text_of(parameter, "name")] = parameter
        return list(found.values())

    def _parameter(self, node: dict[str, Any]) -> Field:
        content: Any = next(iter(mapping(node, "content").values()), None)
        schema = node.get("schema", content.get("schema") if isinstance(content, dict) else None)
        shape = self._schemas.read(node if self._is_old and schema is None else schema)
        return Field(
            name=text_of(node, "name"),
            shape=shape,
            is_required=node.get("required") is True,
            is_deprecated=node.get("deprecated") is True,
            description=text_of(node, "description"),
            place=text_of(node, "in"),
        )

    def _bodies(self, node: dict[str, Any], direction: Direction) -> Iterator[Section]:
        body = self._pointers.follow(node.get("requestBody"))
        for media, content in mapping(body, "content").items():
            yield Section(
                key=f"body {media}",
                title=f"Body · {media}",
                direction=direction,
                description=text_of(body, "description"),
                is_required=body.get("required") is True,
                shape=self._schemas.read(content.get("schema") if isinstance(content, dict) else None),
                examples=tuple(self._examples(content)),
            )

    def _old_bodies(
        self, node: dict[str, Any], parameters: list[dict[str, Any]], direction: Direction
    ) -> Iterator[Section]:
        consumes = [media for media in _media(node, self._root, "consumes") if isinstance(media, str)]
        form = tuple(self._parameter(parameter) for parameter in parameters if parameter.get("in") == "formData")
        if form:
            media = consumes[0] if consumes else "application/x-www-form-urlencoded"
            yield Section(
                key=f"body {media}",
                title=f"Body · {media}",
                direction=direction,
                shape=Shape(type="object", fields=form),
            )
        for parameter in parameters:
            if parameter.get("in") == "body":
                media = ", ".join(consumes) or "application/json"
                yield Section(
                    key="body",
                    title=f"Body · {media}",
                    direction=direction,
                    description=text_of(parameter, "description"),
                    is_required=parameter.get("required") is True,
                    shape=self._schemas.read(parameter.get("schema")),
                )

    def _responses(self, code: str, node: dict[str, Any], direction: Direction) -> Iterator[Section]:
        headers = tuple(self._header(name, header) for name, header in mapping(node, "headers").items())
        contents: dict[str, Any] = mapping(node, "content")
        if self._is_old and "schema" in node:
            contents = {"": {"schema": node["schema"], "examples": mapping(node, "examples")}}
        common: dict[str, Any] = {
            "direction": direction,
            "description": text_of(node, "description"),
            "is_error": code[:1] not in ("1", "2", "3", "d"),
            "fields": headers,
        }
        if not contents:
            yield Section(key=f"response {code}", title=f"Response {code}", **common)
        for media, content in contents.items():
            yield Section(
                key=f"response {code} {media}".rstrip(),
                title=f"Response {code}" + (f" · {media}" if media else ""),
                shape=self._schemas.read(content.get("schema") if isinstance(content, dict) else None),
                examples=tuple(self._examples(content)),
                **common,
            )

    def _header(self, name: str, node: Any) -> Field:
        header = self._pointers.follow(node)
        return Field(
            name=name,
            shape=self._schemas.read(header.get("schema", header if self._is_old else None)),
            is_required=header.get("required") is True,
            description=text_of(header, "description"),
            place="header",
        )

    def _examples(self, content: Any) -> Iterator[str]:
        if isinstance(content, dict) and "example" in content:
            yield write_example(content["example"])
        for name, node in list(mapping(content, "examples").items())[:_MOST_EXAMPLES]:
            example = node if self._is_old else self._pointers.follow(node)
            if self._is_old:
                yield write_example(example)
            elif "value" in example:
                yield write_example(example["value"])
            elif text_of(example, "externalValue"):
                yield f"{name}: {text_of(example, 'externalValue')} (elsewhere, not read)"


def _media(node: dict[str, Any], root: dict[str, Any], key: str) -> list[Any]:
    return sequence(node, key) or sequence(root, key)


def _describe_scheme(scheme: dict[str, Any]) -> str:
    words = [text_of(scheme, "type"), text_of(scheme, "scheme"), text_of(scheme, "bearerFormat")]
    if text_of(scheme, "in"):
        words.append(f"in {text_of(scheme, 'in')} {text_of(scheme, 'name')}")
    flows = mapping(scheme, "flows")
    if flows:
        words.append(f"({', '.join(flows)})")
    return " ".join(word for word in words if word) or "not described"


def _describe_requirement(way: dict[str, Any]) -> str:
    """Return one way of signing in: `oauth (orders:read)`; several schemes of it are needed together."""
    if not way:
        return "none"
    parts = []
    for name, scopes in way.items():
        given = ", ".join(write_value(scope) for scope in scopes) if isinstance(scopes, list) else ""
        parts.append(f"{name} ({given})" if given else name)
    return " and ".join(parts)
