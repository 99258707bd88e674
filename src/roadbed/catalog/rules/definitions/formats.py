"""Which format a definition has, as `spec.type` says, and what its file is called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A format that is read. `name` is what readers are found by; `parts` are its elements in words."""

    name: str
    title: str
    parts: str
    ending: str


_FORMATS = (
    Format("openapi", "OpenAPI", "operations", ".yaml"),
    Format("asyncapi", "AsyncAPI", "operations", ".yaml"),
    Format("graphql", "GraphQL", "fields", ".graphql"),
    Format("grpc", "gRPC", "methods", ".proto"),
)
_BY_TYPE = {format_.name: format_ for format_ in _FORMATS} | {"swagger": _FORMATS[0], "protobuf": _FORMATS[3]}


def find_format(type_: str) -> Format | None:
    """Return the format of an API's type; None when it is not one that is read."""
    return _BY_TYPE.get(type_.strip().lower())


def name_file(name: str, type_: str, text: str) -> str:
    """Return what the file of a definition is called."""
    format_ = find_format(type_)
    is_json = text[:100].lstrip()[:1] in ("{", "[")
    ending = ".txt" if format_ is None else format_.ending
    return name + (".json" if is_json and ending in (".yaml", ".txt") else ending)
