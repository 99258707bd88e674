"""Small pieces of JSON Schema that the definitions of kinds are put together from."""

from typing import Any

Schema = dict[str, Any]


def text(title: str, description: str = "", **more: Any) -> Schema:
    """A text that is not empty."""
    return _titled({"type": "string", "minLength": 1}, title, description, more)


def texts(title: str, description: str = "", **more: Any) -> Schema:
    return _titled({"type": "array", "items": {"type": "string", "minLength": 1}}, title, description, more)


def flag(title: str, description: str = "", **more: Any) -> Schema:
    return _titled({"type": "boolean"}, title, description, more)


def whole(title: str, description: str = "", **more: Any) -> Schema:
    return _titled({"type": "integer"}, title, description, more)


def mapping(title: str, description: str = "", **more: Any) -> Schema:
    return _titled({"type": "object"}, title, description, more)


def sequence(items: Schema, title: str, description: str = "", **more: Any) -> Schema:
    return _titled({"type": "array", "items": items}, title, description, more)


def fields(
    required: tuple[str, ...] = (),
    /,
    *,
    is_closed: bool = False,
    more: dict[str, Schema] | None = None,
    **properties: Schema,
) -> Schema:
    """An object. A closed one refuses fields it does not know, but for those that begin with `x-`.

    Args:
        required: names of fields that must be there.
        is_closed: whether it is closed.
        more: further fields, whose names are no Python names.
        properties: fields.
    """
    schema: Schema = {"type": "object", "properties": properties | (more or {})}
    if required:
        schema["required"] = list(required)
    if is_closed:
        schema |= {"additionalProperties": False, "patternProperties": {"^x-": {}}}
    return schema


def when_type(value: str, then: Schema, otherwise: Schema | None = None) -> Schema:
    """A rule for entities whose `spec.type` is `value`."""
    rule: Schema = {"if": {"properties": {"type": {"const": value}}, "required": ["type"]}, "then": then}
    return rule if otherwise is None else rule | {"else": otherwise}


def _titled(schema: Schema, title: str, description: str, more: dict[str, Any]) -> Schema:
    return schema | {"title": title} | ({"description": description} if description else {}) | more


LIFECYCLE = text("Lifecycle", "How far along it is.", examples=["experimental", "production", "deprecated"])
OWNER = text("Owner", "Ref of the group or user that owns it; a plain name is a group.", examples=["team-checkout"])
SYSTEM = text("System", "Ref of the system it belongs to.", examples=["shop"])
VERSION = text(
    "Version", "Raise it with each change.", examples=["1.0", "3.2.1"], pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]*$"
)
SLUG_PATTERN = "^[a-z][a-z0-9-]{0,62}$"
