"""The envelope that all kinds share, as JSON Schema: `{apiVersion, kind, metadata, spec, relations, status}`."""

from roadbed.catalog.rules import formats
from roadbed.catalog.rules.kinds.parts import Schema, fields, mapping, sequence, text

_TEXT_MAP: Schema = {"type": "object", "additionalProperties": True, "patternProperties": {"^.+$": {"type": "string"}}}

LINK = fields(
    ("url",),
    url=text("URL"),
    title=text("Title"),
    icon=text("Icon"),
    type=text("Type", "What the link is for."),
)

METADATA: Schema = fields(
    ("name",),
    uid=text("Uid", "Given by the catalog.", readOnly=True),
    etag=text("Etag", "Given by the catalog.", readOnly=True),
    name=text("Name", "Unique among the entities of this kind in the namespace.", examples=["orders"]),
    namespace=text("Namespace", "`default` when absent.", default="default"),
    title=text("Title", "How people call it, when the name is not enough."),
    description=text("Description"),
    labels=_TEXT_MAP | {"title": "Labels", "description": "Short texts to select by."},
    annotations=_TEXT_MAP | {"title": "Annotations", "description": "Texts for tools."},
    tags=sequence({"type": "string", "minLength": 1}, "Tags", examples=[["python", "tier-1"]]),
    links=sequence(LINK, "Links"),
) | {"additionalProperties": True}

_TARGET = fields(("kind", "namespace", "name"), kind=text("Kind"), namespace=text("Namespace"), name=text("Name")) | {
    "additionalProperties": False
}

_RELATION = fields(("type", "targetRef"), type=text("Type"), targetRef=text("Target"), target=_TARGET) | {
    "additionalProperties": False
}

_STATUS_ERROR = fields(
    ("name", "message"),
    name=text("Name"),
    message={"type": "string"},
    code={"type": "string"},
    stack={"type": "string"},
)

_STATUS_ITEM = fields(
    ("type", "level", "message"),
    type=text("Type"),
    level={"enum": ["info", "warning", "error"]},
    message={"type": "string"},
    error=_STATUS_ERROR,
)

ENTITY: Schema = fields(
    ("apiVersion", "kind", "metadata"),
    apiVersion=text("API version"),
    kind=text("Kind"),
    metadata=METADATA | {"title": "Metadata"},
    spec=mapping("Spec"),
    relations=sequence(_RELATION, "Relations", "Written by the catalog.", readOnly=True),
    status=fields(items=sequence(_STATUS_ITEM, "Items")) | {"title": "Status", "readOnly": True},
) | {"additionalProperties": False}

ENVELOPE: Schema = fields(
    ("apiVersion", "kind", "metadata"),
    apiVersion=text("API version"),
    kind=text("Kind"),
    metadata=fields(("name",), name=text("Name"), namespace=text("Namespace")),
)

# What the field formats say, for editors and forms. Validation applies them from `formats`, with better words.
METADATA_PATTERNS: dict[str, Schema] = {
    "name": {"pattern": formats.NAME_PATTERN, "maxLength": 63},
    "namespace": {"pattern": formats.NAMESPACE_PATTERN, "maxLength": 63},
    "tags": {"items": {"type": "string", "pattern": formats.TAG_PATTERN, "maxLength": 63}},
}
