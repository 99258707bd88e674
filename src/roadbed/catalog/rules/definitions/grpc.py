"""Protocol Buffers as the common model: services with their methods, messages and enums. Imports are not followed."""

from collections.abc import Iterator

from roadbed.catalog.rules.definitions import protosyntax
from roadbed.catalog.rules.definitions.model import (
    BrokenDefinition,
    Definition,
    Direction,
    Element,
    Fact,
    Field,
    Head,
    NamedType,
    Section,
    Shape,
    assemble,
)
from roadbed.catalog.rules.definitions.protosyntax import ProtoEnum, ProtoField, ProtoMessage, ProtoMethod
from roadbed.catalog.rules.definitions.sources import MAX_BYTES
from roadbed.catalog.rules.definitions.text import join_told

_SCALARS = frozenset(
    [
        "double",
        "float",
        "int32",
        "int64",
        "uint32",
        "uint64",
        "sint32",
        "sint64",
        "fixed32",
        "fixed64",
        "sfixed32",
        "sfixed64",
        "bool",
        "string",
        "bytes",
    ]
)


def read(text: str) -> Definition:
    """Return the model of a file.

    Raises:
        BrokenDefinition: it is none; with the line.
    """
    if len(text) > MAX_BYTES:
        raise BrokenDefinition(f"The file has {len(text):,} characters; at most {MAX_BYTES:,} are read.")
    return _Reader(protosyntax.parse(text)).read()


class _Reader:
    def __init__(self, file: protosyntax.ProtoFile) -> None:
        self._file = file
        self._names = {name for message in file.messages for name in _names(message, "")} | {
            enum.name for enum in file.enums
        }

    def read(self) -> Definition:
        file = self._file
        if not (file.services or file.messages or file.enums):
            raise BrokenDefinition("It declares no service, message or enum.", "A file has at least one.", line=1)
        types = [type_ for message in file.messages for type_ in self._message(message, "")]
        types += [_enum(enum, "") for enum in file.enums]
        elements = [self._method(service.name, method) for service in file.services for method in service.methods]
        facts = [Fact(label="Package", value=file.package)] if file.package else []
        head = Head(
            format=f"Protocol Buffers, {file.syntax or 'proto2'}",
            title=file.package,
            has_wire_names=True,
            facts=tuple(facts),
            notices=tuple(f"{path} is imported and was not followed." for path in file.imports),
        )
        return assemble(head, elements, types, groups={service.name: service.comment for service in file.services})

    def _method(self, service: str, method: ProtoMethod) -> Element:
        streams = {(True, False): "client", (False, True): "server", (True, True): "both ways"}
        streamed = streams.get((method.is_request_streamed, method.is_response_streamed), "")
        return Element(
            id=f"{service}.{method.name}",
            label="RPC",
            name=method.name,
            group=service,
            description=method.comment,
            is_deprecated=method.is_deprecated,
            facts=(Fact(label="Streams", value=streamed, is_contract=True),) if streamed else (),
            sections=(
                Section(key="request", title="Request", direction=Direction.IN, shape=self._refer(method.request, "")),
                Section(
                    key="response", title="Response", direction=Direction.OUT, shape=self._refer(method.response, "")
                ),
            ),
        )

    def _message(self, message: ProtoMessage, scope: str) -> Iterator[NamedType]:
        name = f"{scope}{message.name}"
        yield NamedType(
            name=name,
            label="message",
            shape=Shape(type="message", fields=tuple(self._field(field, f"{name}.") for field in message.fields)),
            description=message.comment,
            is_deprecated=message.is_deprecated,
        )
        for inner in message.messages:
            yield from self._message(inner, f"{name}.")
        for enum in message.enums:
            yield _enum(enum, f"{name}.")

    def _field(self, field: ProtoField, scope: str) -> Field:
        rules = [("number", field.number), *([("oneof", field.oneof)] if field.oneof else [])]
        value = self._refer(field.type, scope)
        if field.key_type:
            shape = Shape(type=f"map of {field.key_type} to", items=value, rules=tuple(rules))
        elif field.label == "repeated":
            shape = Shape(type="list", items=value, rules=tuple(rules))
        else:
            shape = Shape(type=value.type, ref=value.ref, rules=tuple(rules), default=field.default)
        return Field(
            name=field.name,
            shape=shape,
            is_required=field.label == "required",
            is_deprecated=field.is_deprecated,
            description=field.comment,
            place="optional" if field.label == "optional" else "",
        )

    def _refer(self, type_: str, scope: str) -> Shape:
        """Return the shape of a type as it is named in a scope: the innermost of that name counts."""
        if type_ in _SCALARS:
            return Shape(type=type_)
        package = f"{self._file.package}." if self._file.package else ""
        plain = type_.removeprefix(".").removeprefix(package)
        scopes = [""] if type_.startswith(".") else [scope, *_outer(scope)]
        found = next((near + plain for near in scopes if near + plain in self._names), "")
        return Shape(type=found or type_.removeprefix("."), ref=found)


def _outer(scope: str) -> list[str]:
    """Return the scopes around one, from the inside: of `a.b.` these are `a.` and the file's."""
    parts = scope.rstrip(".").split(".")[:-1]
    return [".".join(parts[:count]) + "." for count in range(len(parts), 0, -1)] + [""]


def _names(message: ProtoMessage, scope: str) -> Iterator[str]:
    name = f"{scope}{message.name}"
    yield name
    for inner in message.messages:
        yield from _names(inner, f"{name}.")
    for enum in message.enums:
        yield f"{name}.{enum.name}"


def _enum(enum: ProtoEnum, scope: str) -> NamedType:
    told = [f"{value.name}: {' '.join(value.comment.split())}" for value in enum.values if value.comment]
    return NamedType(
        name=f"{scope}{enum.name}",
        label="enum",
        shape=Shape(
            type="enum", enum=tuple(f"{value.name} = {value.number}" for value in enum.values), note=join_told(told)
        ),
        description=enum.comment,
        is_deprecated=enum.is_deprecated,
    )
