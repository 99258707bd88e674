"""AsyncAPI 2 and 3 as the common model: what is sent and received, on which channel, in which messages.

Version 2 says what a client may do (`publish`), version 3 what the application does (`receive`). Sections say it from a
client's side: what it publishes goes in.
"""

from collections.abc import Iterator
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
from roadbed.catalog.rules.definitions.text import write_example

_HOME = "#/components/schemas/"
_JSON_SCHEMA = ("json", "aai", "asyncapi", "openapi")
_MOST_EXAMPLES = 10


def read(text: str) -> Definition:
    """Return the model of a definition.

    Raises:
        BrokenDefinition: it is none.
    """
    root = load(text)
    version = text_of(root, "asyncapi")
    if version[:1] not in ("2", "3"):
        raise BrokenDefinition(
            f"AsyncAPI {version} is not read." if version else "It has no `asyncapi` at its top.",
            "Versions 2 and 3 are read; write the version there: `asyncapi: 3.0.0`.",
            line=1,
        )
    return _Reader(root, version).read()


class _Reader:
    def __init__(self, root: dict[str, Any], version: str) -> None:
        self._root = root
        self._version = version
        self._pointers = Pointers(root)
        self._schemas = SchemaReader(self._pointers, home=_HOME)
        self._described: dict[str, str] = {}

    def read(self) -> Definition:
        info = mapping(self._root, "info")
        elements = list(self._operations_of_2() if self._version.startswith("2") else self._operations_of_3())
        types = self._schemas.read_types(mapping(mapping(self._root, "components"), "schemas"))
        head = Head(
            format=f"AsyncAPI {self._version}",
            title=text_of(info, "title"),
            version=text_of(info, "version"),
            description=text_of(info, "description"),
            facts=tuple(self._facts()),
            notices=(*self._pointers.problems.values(), *self._schemas.notices),
        )
        return assemble(head, elements, types, groups=self._described)

    def _facts(self) -> Iterator[Fact]:
        for name, node in mapping(self._root, "servers").items():
            server = self._pointers.follow(node)
            place = text_of(server, "url") or text_of(server, "host") + text_of(server, "pathname")
            protocol = " ".join(filter(None, (text_of(server, "protocol"), text_of(server, "protocolVersion"))))
            yield Fact(label="Server", value=f"{name}: {place} ({protocol})")
        if text_of(self._root, "defaultContentType"):
            yield Fact(label="Content", value=text_of(self._root, "defaultContentType"))

    def _operations_of_2(self) -> Iterator[Element]:
        for address, node in mapping(self._root, "channels").items():
            channel = self._pointers.follow(node)
            self._described[address] = text_of(channel, "description")
            for action, direction in (("publish", Direction.IN), ("subscribe", Direction.OUT)):
                if action not in channel:
                    continue
                operation = self._pointers.follow(channel[action])
                message = self._pointers.follow(operation.get("message"))
                messages = sequence(message, "oneOf") or [operation.get("message")]
                yield self._element(
                    f"{action}-{address}",
                    action,
                    text_of(operation, "operationId") or address,
                    group=address,
                    node=operation,
                    sections=[
                        *self._parameters(channel),
                        *(self._message("", item, direction) for item in messages if item is not None),
                    ],
                )

    def _operations_of_3(self) -> Iterator[Element]:
        channels = mapping(self._root, "channels")
        used = set()
        for name, node in mapping(self._root, "operations").items():
            operation = self._pointers.follow(node)
            channel = self._pointers.follow(operation.get("channel"))
            used.add(id(channel))
            action = text_of(operation, "action") or "operation"
            direction = Direction.IN if action == "receive" else Direction.OUT
            address = self._address(channel, name)
            sections = [*self._parameters(channel), *self._messages(operation, channel, direction)]
            reply = self._pointers.follow(operation.get("reply"))
            if reply:
                answer = Direction.OUT if direction is Direction.IN else Direction.IN
                sections += self._messages(
                    reply, self._pointers.follow(reply.get("channel")), answer, prefix="reply with "
                )
            yield self._element(f"operation-{name}", action, name, group=address, node=operation, sections=sections)
        for name, node in channels.items():
            channel = self._pointers.follow(node)
            if id(channel) not in used:
                address = self._address(channel, name)
                sections = [*self._parameters(channel), *self._messages({}, channel, Direction.OUT)]
                yield self._element(f"channel-{name}", "channel", name, group=address, node=channel, sections=sections)

    def _address(self, channel: dict[str, Any], name: str) -> str:
        address = text_of(channel, "address") or name
        self._described.setdefault(address, text_of(channel, "description"))
        return address

    def _element(
        self, id_: str, label: str, name: str, *, group: str, node: dict[str, Any], sections: list[Section]
    ) -> Element:
        return Element(
            id=id_,
            label=label.upper(),
            name=name,
            group=group,
            summary=text_of(node, "summary") or text_of(node, "title"),
            description=text_of(node, "description"),
            facts=(
                Fact(label="Channel", value=group, is_contract=True),
                *(
                    Fact(label="Binding", value=f"{protocol} {write_example(binding)}")
                    for protocol, binding in self._pointers.follow(node.get("bindings")).items()
                ),
            ),
            sections=tuple(sections),
        )

    def _parameters(self, channel: dict[str, Any]) -> Iterator[Section]:
        fields = []
        for name, node in mapping(channel, "parameters").items():
            parameter = self._pointers.follow(node)
            schema = parameter.get("schema", {"type": "string", **parameter})  # version 3 has no schema there
            fields.append(
                Field(
                    name=name,
                    shape=self._schemas.read(schema),
                    is_required=True,
                    description=text_of(parameter, "description"),
                    place="address",
                )
            )
        if fields:
            yield Section(key="parameters", title="Parameters", direction=Direction.IN, fields=tuple(fields))

    def _messages(
        self, node: dict[str, Any], channel: dict[str, Any], direction: Direction, *, prefix: str = ""
    ) -> Iterator[Section]:
        """Yield the messages that are named, else all those of the channel."""
        named = {_last(item): item for item in sequence(node, "messages")}
        for name, message in (named or mapping(channel, "messages")).items():
            yield self._message(name, message, direction, prefix=prefix)

    def _message(self, name: str, node: Any, direction: Direction, *, prefix: str = "") -> Section:
        message = self._with_traits(self._pointers.follow(node))
        name = text_of(message, "name") or _last(node) or name or text_of(message, "messageId") or "message"
        headers = message.get("headers")
        title = text_of(message, "title")
        return Section(
            key=f"{prefix}message {name}",
            title=f"{prefix}message ".capitalize() + name + (f" · {title}" if title and title != name else ""),
            direction=direction,
            description=text_of(message, "description") or text_of(message, "summary"),
            fields=self._headers(headers),
            shape=self._payload(message),
            examples=tuple(
                write_example(example.get("payload", example))
                for example in sequence(message, "examples")[:_MOST_EXAMPLES]
                if isinstance(example, dict)
            ),
        )

    def _with_traits(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message with what its traits add; what it says itself stays."""
        merged: dict[str, Any] = {}
        for trait in sequence(message, "traits"):
            merged |= self._pointers.follow(trait)
        return {**merged, **message}

    def _headers(self, node: Any) -> tuple[Field, ...]:
        schema = self._pointers.follow(node)
        if "schema" in schema and "schemaFormat" in schema:
            schema = self._pointers.follow(schema["schema"])
        return tuple(
            Field(
                name=field.name,
                shape=field.shape,
                is_required=field.is_required,
                is_deprecated=field.is_deprecated,
                description=field.description,
                place="header",
            )
            for field in self._schemas.read(schema).fields
        )

    def _payload(self, message: dict[str, Any]) -> Shape | None:
        payload, language = message.get("payload"), text_of(message, "schemaFormat")
        if isinstance(payload, dict) and "schemaFormat" in payload:
            payload, language = payload.get("schema"), text_of(payload, "schemaFormat")
        if payload is None:
            return None
        if language and not any(word in language for word in _JSON_SCHEMA):
            return Shape(
                type=language, note="is described in a language of its own", examples=(write_example(payload),)
            )
        return self._schemas.read(payload)


def _last(node: Any) -> str:
    """Return the name at the end of a reference to a message."""
    ref = text_of(node, "$ref")
    return ref.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
