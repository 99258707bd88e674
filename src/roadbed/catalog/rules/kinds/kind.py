"""The kind `Kind`: with entities of it, people define kinds of their own."""

from roadbed.catalog.rules.kinds.computed import ComputedType
from roadbed.catalog.rules.kinds.model import KindDefinition, Relation
from roadbed.catalog.rules.kinds.parts import OWNER, fields, flag, mapping, sequence, text, texts

API_VERSION = "roadbed.dev/v1"
ICONS = (
    "api",
    "app-window",
    "badge",
    "book",
    "bolt",
    "box",
    "brand-docker",
    "brand-git",
    "bucket",
    "building",
    "certificate",
    "checklist",
    "cloud",
    "components",
    "container",
    "cpu",
    "database",
    "device-desktop",
    "file",
    "gavel",
    "git-branch",
    "key",
    "layout-grid",
    "list-check",
    "lock",
    "mail",
    "map-pin",
    "message",
    "network",
    "package",
    "puzzle",
    "road",
    "robot",
    "rocket",
    "route",
    "rubber-stamp",
    "server",
    "shield",
    "sitemap",
    "stack-2",
    "template",
    "tools",
    "topology-star-3",
    "user",
    "users-group",
    "world",
)
MAX_RELATIONS = 30
MAX_COMPUTED = 20
MAX_COLUMNS = 5
_FIELD_PATTERN = "^[A-Za-z_][A-Za-z0-9_]{0,62}$"
_RELATION_PATTERN = "^[a-z][A-Za-z0-9]{0,62}$"

_RELATION = fields(
    ("field", "type", "inverse"),
    is_closed=True,
    field=text("Field", "Field of the spec that holds the ref, or a list of refs.", examples=["service"]),
    type=text(
        "Relation", "From the entity to what the field names.", examples=["documents"], pattern=_RELATION_PATTERN
    ),
    inverse=text("Way back", "From there to the entity.", examples=["documentedBy"], pattern=_RELATION_PATTERN),
    title=text("Title", "Heading on the page of the entity; made from the name when absent."),
    inverseTitle=text("Title of the way back"),
    kinds=texts("Kinds", "What the field may name; any kind when absent.", examples=[["Component"]], maxItems=20),
    defaultKind=text("Default kind", "Of a ref without one; the only one of `kinds` when absent."),
    defaultNamespace=text("Default namespace", "Of a ref without one; the entity's own when absent."),
    cardinality={
        "enum": ["one", "many"],
        "title": "Cardinality",
        "description": "Many: the field holds a list. As the schema says when absent.",
    },
)
_COMPUTED = fields(
    ("name", "type", "expression"),
    is_closed=True,
    name=text("Name", examples=["overdue"], pattern=_FIELD_PATTERN),
    title=text("Title"),
    description=text("Description"),
    type={"enum": [one.value for one in ComputedType], "title": "Type"},
    expression=text(
        "Expression", "CEL over metadata, spec, related and now.", examples=["size(related.documents) > 0"]
    ),
)
_SECTION = fields(
    ("title", "fields"),
    is_closed=True,
    title=text("Title", examples=["Details"], maxLength=80),
    fields=texts("Fields", "Of the spec, or computed.", minItems=1, maxItems=50),
)

KIND = KindDefinition(
    "Kind",
    (API_VERSION,),
    "kinds",
    "A kind of entities that an organisation defines for itself; its name is that of the kind.",
    fields(
        ("plural", "apiVersions", "schema"),
        is_closed=True,
        owner=OWNER,
        plural=text("Plural", "For headings and addresses.", examples=["runbooks"], pattern="^[a-z][a-z0-9-]{0,62}$"),
        icon={"enum": list(ICONS), "default": "box", "title": "Icon"},
        apiVersions=texts(
            "API versions",
            "Those that its entities may have, preferred first.",
            examples=[["example.com/v1"]],
            minItems=1,
            maxItems=10,
        ),
        owned=flag("Owned", "Its entities have an owner, and are listed as unowned without one.", default=False),
        schema=mapping("Schema", "JSON Schema (draft 2020-12) of the spec of its entities."),
        relations=sequence(_RELATION, "Relations", "What follows from fields of the spec.", maxItems=MAX_RELATIONS),
        computed=sequence(_COMPUTED, "Computed properties", maxItems=MAX_COMPUTED),
        page=fields(
            is_closed=True,
            sections=sequence(
                _SECTION, "Sections", "Of the page of an entity; one with all fields when absent.", maxItems=20
            ),
            columns=texts("Columns", "Fields or computed properties in the list.", maxItems=MAX_COLUMNS),
        )
        | {"title": "Page", "description": "What is shown where."},
    ),
    (Relation("owner", "ownedBy", "ownerOf", "Group"),),
    icon="components",
    is_owned=True,
)
