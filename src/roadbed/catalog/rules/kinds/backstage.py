"""The ten kinds of Backstage, with its rules: what loads there loads here unchanged.

One deviation: an API of type `mcp-server` may have `remotes`, a `definition`, or both.
"""

from roadbed.catalog.rules.kinds.model import KindDefinition, Relation
from roadbed.catalog.rules.kinds.parts import (
    LIFECYCLE,
    OWNER,
    SYSTEM,
    Schema,
    fields,
    mapping,
    sequence,
    text,
    texts,
    when_type,
)

_VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1")

_OWNER = Relation("owner", "ownedBy", "ownerOf", "Group")
_SYSTEM = Relation("system", "partOf", "hasPart", "System")
_DEPENDS = Relation("dependsOn", "dependsOn", "dependencyOf")
_DEPENDENCY = Relation("dependencyOf", "dependencyOf", "dependsOn")

_DEPENDS_FIELD = texts("Depends on", "Refs with their kind.", examples=[["resource:orders-db", "component:payments"]])
_DEPENDENCY_FIELD = texts("Dependency of", "Refs, with their kind, of what depends on it.")
_PROFILE = fields(
    displayName=text("Display name"), email=text("E-mail"), picture=text("Picture", "URL of an image.")
) | {"title": "Profile"}

COMPONENT = KindDefinition(
    "Component",
    _VERSIONS,
    "components",
    "A piece of software: a service, a website, a library.",
    fields(
        ("type", "lifecycle", "owner"),
        type=text("Type", examples=["service", "website", "library"]),
        lifecycle=LIFECYCLE,
        owner=OWNER,
        system=SYSTEM,
        subcomponentOf=text("Subcomponent of", "Ref of the component it is a part of."),
        providesApis=texts("Provides APIs", "Refs of APIs."),
        consumesApis=texts("Consumes APIs", "Refs of APIs."),
        dependsOn=_DEPENDS_FIELD,
        dependencyOf=_DEPENDENCY_FIELD,
    ),
    (
        _OWNER,
        _SYSTEM,
        Relation("subcomponentOf", "partOf", "hasPart", "Component"),
        Relation("providesApis", "providesApi", "apiProvidedBy", "API"),
        Relation("consumesApis", "consumesApi", "apiConsumedBy", "API"),
        _DEPENDS,
        _DEPENDENCY,
    ),
    icon="box",
    is_owned=True,
)

_REMOTE = fields(
    ("type", "url"),
    type=text("Type", examples=["streamable-http", "sse", "stdio"]),
    url=text("URL", "An address, or for stdio a command."),
)

API = KindDefinition(
    "API",
    _VERSIONS,
    "apis",
    "An interface that components provide and consume.",
    fields(
        ("type", "lifecycle", "owner"),
        type=text("Type", examples=["openapi", "asyncapi", "graphql", "grpc", "mcp-server"]),
        lifecycle=LIFECYCLE,
        owner=OWNER,
        system=SYSTEM,
        definition=text("Definition", "The text of the definition."),
    )
    | when_type(
        "mcp-server",
        {
            "properties": {"remotes": sequence(_REMOTE, "Remotes", "Where the server is reached.", minItems=1)},
            "anyOf": [{"required": ["remotes"]}, {"required": ["definition"]}],
        },
        {"required": ["definition"]},
    ),
    (_OWNER, _SYSTEM),
    icon="api",
    is_owned=True,
)

RESOURCE = KindDefinition(
    "Resource",
    _VERSIONS,
    "resources",
    "Infrastructure that a component needs: a database, a bucket, a queue.",
    fields(
        ("type", "owner"),
        type=text("Type", examples=["database", "bucket"]),
        owner=OWNER,
        system=SYSTEM,
        dependsOn=_DEPENDS_FIELD,
        dependencyOf=_DEPENDENCY_FIELD,
    ),
    (_OWNER, _SYSTEM, _DEPENDS, _DEPENDENCY),
    icon="database",
    is_owned=True,
)

SYSTEM_KIND = KindDefinition(
    "System",
    _VERSIONS,
    "systems",
    "Components and resources that work together and are deployed together: an application.",
    fields(("owner",), owner=OWNER, domain=text("Domain", "Ref of the domain."), type=text("Type")),
    (_OWNER, Relation("domain", "partOf", "hasPart", "Domain")),
    icon="sitemap",
    is_owned=True,
)

DOMAIN = KindDefinition(
    "Domain",
    _VERSIONS,
    "domains",
    "An area of the business that systems belong to.",
    fields(("owner",), owner=OWNER, subdomainOf=text("Subdomain of", "Ref of a domain."), type=text("Type")),
    (_OWNER, Relation("subdomainOf", "partOf", "hasPart", "Domain")),
    icon="layout-grid",
    is_owned=True,
)

GROUP = KindDefinition(
    "Group",
    _VERSIONS,
    "groups",
    "A team, or another part of the organisation.",
    fields(
        ("type", "children"),
        type=text("Type", examples=["team", "department"]),
        profile=_PROFILE,
        parent=text("Parent", "Ref of the group above."),
        children=texts("Children", "Refs of the groups below; may be empty."),
        members=texts("Members", "Refs of users."),
    ),
    (
        Relation("parent", "childOf", "parentOf", "Group"),
        Relation("children", "parentOf", "childOf", "Group"),
        Relation("members", "hasMember", "memberOf", "User"),
    ),
    icon="users-group",
)

USER = KindDefinition(
    "User",
    _VERSIONS,
    "users",
    "A person.",
    fields(("memberOf",), profile=_PROFILE, memberOf=texts("Member of", "Refs of groups; may be empty.")),
    (Relation("memberOf", "memberOf", "hasMember", "Group"),),
    icon="user",
)

LOCATION = KindDefinition(
    "Location",
    _VERSIONS,
    "locations",
    "A list of further files to read entities from.",
    fields(
        type=text("Type", "That of the targets; as the file itself when absent.", examples=["url", "file"]),
        target=text("Target", "A path relative to this file, or a URL."),
        targets=texts("Targets", "Paths relative to this file, or URLs."),
        presence={"enum": ["required", "optional"], "default": "required", "title": "Presence"},
    ),
    icon="map-pin",
)

_PERMISSIONS: Schema = mapping("Permissions", properties={"tags": {"type": "array", "items": {"type": "string"}}})
_FORM: Schema = mapping("Form", "JSON Schema of the answers.", properties={"backstage:permissions": _PERMISSIONS})
_CONDITION: Schema = {"type": ["string", "boolean"], "title": "If"}
_STEP = fields(
    ("action",),
    id={"type": "string", "title": "Id"},
    name={"type": "string", "title": "Name"},
    action={"type": "string", "title": "Action"},
    input=mapping("Input"),
    more={"if": _CONDITION, "backstage:permissions": _PERMISSIONS},
)

TEMPLATE = KindDefinition(
    "Template",
    ("scaffolder.backstage.io/v1beta3",),
    "templates",
    "A golden path: a form, and the steps that make something from its answers.",
    fields(
        ("type", "steps"),
        type=text("Type", "Of what it makes.", examples=["service", "website"]),
        owner=OWNER,
        lifecycle=LIFECYCLE,
        parameters={"oneOf": [_FORM, {"type": "array", "items": _FORM}], "title": "Parameters"},
        steps=sequence(_STEP, "Steps"),
        secrets=mapping("Secrets", properties={"schema": {"type": "object"}}),
        presentation=mapping("Presentation", properties={"buttonLabels": {"type": "object"}}),
        output=mapping(
            "Output",
            properties={
                "links": sequence(
                    fields(
                        url=text("URL"),
                        entityRef=text("Entity"),
                        title=text("Title"),
                        icon=text("Icon"),
                        more={"if": _CONDITION},
                    ),
                    "Links",
                ),
                "text": sequence(
                    fields(title=text("Title"), icon=text("Icon"), content={"type": "string"}, more={"if": _CONDITION}),
                    "Texts",
                ),
            },
        ),
        EXPERIMENTAL_recovery=mapping("Recovery"),
        EXPERIMENTAL_formDecorators=sequence({"type": "object"}, "Form decorators"),
    ),
    (_OWNER,),
    icon="template",
    is_owned=True,
    retired=dict.fromkeys(
        ("backstage.io/v1alpha1", "backstage.io/v1beta1", "backstage.io/v1beta2", "scaffolder.backstage.io/v1beta2"),
        "Set apiVersion to scaffolder.backstage.io/v1beta3, write expressions as ${{ … }} instead of {{ … }}, "
        "and give each step an `input` instead of `parameters`.",
    ),
)

_DISCIPLINES = texts("Disciplines", examples=[["web", "backend"]])

AI_RESOURCE = KindDefinition(
    "AiResource",
    ("backstage.io/v1alpha1",),
    "ai-resources",
    "Something that coding agents use: a skill, a rule, a plugin, a marketplace.",
    fields(
        ("type", "lifecycle", "owner"),
        type=text("Type", examples=["skill", "rule", "plugin", "marketplace"]),
        lifecycle=LIFECYCLE,
        owner=OWNER,
        system=SYSTEM,
    )
    | {
        "allOf": [
            when_type(
                "skill",
                fields(
                    dependsOn=texts("Depends on", "Refs of AI resources."),
                    disciplines=_DISCIPLINES,
                    categories=texts("Categories"),
                    agents=texts("Agents"),
                    allowedTools=texts("Allowed tools"),
                    license=text("License"),
                    compatibility=text("Compatibility"),
                ),
            ),
            when_type(
                "rule",
                fields(
                    ("category", "rationale"),
                    category=text("Category", examples=["security", "architecture"]),
                    rationale=text("Rationale", "Why the rule exists."),
                    disciplines=_DISCIPLINES,
                    activation=sequence(fields(("harness",), harness=text("Harness")), "Activation", minItems=1),
                ),
            ),
            when_type(
                "plugin", fields(("skills",), skills=texts("Skills", "Refs of AI resources."), version=text("Version"))
            ),
            when_type(
                "marketplace",
                fields(("plugins",), plugins=texts("Plugins", "Refs of AI resources."), version=text("Version")),
            ),
        ]
    },
    (
        _OWNER,
        _SYSTEM,
        Relation("dependsOn", "dependsOn", "dependencyOf", "AiResource", only_type="skill"),
        Relation("skills", "hasPart", "partOf", "AiResource", only_type="plugin"),
        Relation("plugins", "hasPart", "partOf", "AiResource", only_type="marketplace"),
    ),
    icon="robot",
    is_owned=True,
)

BACKSTAGE_KINDS = (
    COMPONENT,
    API,
    RESOURCE,
    SYSTEM_KIND,
    DOMAIN,
    GROUP,
    USER,
    LOCATION,
    TEMPLATE,
    AI_RESOURCE,
)
