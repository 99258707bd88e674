"""Roadbed's own kinds, `roadbed.dev/v1`. Their schemas are closed: a field they do not know is an error."""

from roadbed.catalog.rules.kinds.model import KindDefinition, Relation
from roadbed.catalog.rules.kinds.parts import (
    OWNER,
    SLUG_PATTERN,
    VERSION,
    Schema,
    fields,
    flag,
    mapping,
    sequence,
    text,
    texts,
    whole,
)

API_VERSION = "roadbed.dev/v1"

_OWNER = Relation("owner", "ownedBy", "ownerOf", "Group")
_WHEN = text("When", "A CEL expression; without one it always holds.")
_TIMEOUT = whole("Time limit", "In seconds.", minimum=1, maximum=86_400)

_REPORT = fields(
    ("type", "path"),
    is_closed=True,
    type={"enum": ["junit", "coverage", "scan", "sarif", "sbom", "log"], "title": "Type"},
    path=text("Path", "A file or glob in the workspace.", examples=["reports/junit*.xml"]),
)

_STEP: Schema = fields(
    is_closed=True,
    id=text("Id", pattern=SLUG_PATTERN),
    name=text("Name"),
    make=text(
        "Make target", "A target of the repository's own Makefile.", examples=["test"], pattern=r"^[A-Za-z0-9][\w.-]*$"
    ),
    uses=text("Built-in step", "Something that Roadbed does.", examples=["secret-scan", "artifact", "deploy"]),
    more={"with": mapping("With", "Arguments of the built-in step.")},
    reports=sequence(_REPORT, "Reports", "What the step leaves behind for people to read."),
    when=_WHEN,
    timeoutSeconds=_TIMEOUT,
    allowFailure=flag("May fail", "A failure is shown and does not end the pipeline.", default=False),
) | {"oneOf": [{"required": ["make"]}, {"required": ["uses"]}]}

_STAGE = fields(
    ("id", "steps"),
    is_closed=True,
    id=text("Id", pattern=SLUG_PATTERN, examples=["test"]),
    name=text("Name"),
    required=flag("Required", "A repository's own pipeline may not leave it out.", default=False),
    needs=texts("Needs", "Stages that must be done before; the one above when absent."),
    when=_WHEN,
    environment=text("Environment type", "Where the stage deploys to.", examples=["staging"]),
    timeoutSeconds=_TIMEOUT,
    steps=sequence(_STEP, "Steps", minItems=1),
)

PIPELINE = KindDefinition(
    "Pipeline",
    (API_VERSION,),
    "pipelines",
    "The stages that a change passes on its way to production. Their steps call targets of the repository's Makefile.",
    fields(
        ("version", "stages"),
        is_closed=True,
        owner=OWNER,
        version=VERSION,
        extends=text("Extends", "Ref of the pipeline whose stages these are added to.", examples=["standard"]),
        triggers=sequence({"enum": ["push", "change-request", "manual"]}, "Triggers", default=["push"]),
        branches=texts("Branches", "Globs; the default branch when absent.", examples=[["main"]]),
        stages=sequence(_STAGE, "Stages", minItems=1),
        cache=texts("Cache", "Paths in the workspace that are kept between runs."),
        timeoutSeconds=_TIMEOUT,
    ),
    (_OWNER, Relation("extends", "extends", "extendedBy", "Pipeline")),
    icon="git-merge",
    is_owned=True,
)

_CLASS = fields(
    ("name",),
    is_closed=True,
    name=text("Name", pattern=SLUG_PATTERN, examples=["small"]),
    title=text("Title"),
    description=text("Description"),
)

RESOURCE_TYPE = KindDefinition(
    "ResourceType",
    (API_VERSION,),
    "resource-types",
    "The contract of something that can be asked for: parameters in, outputs out.",
    fields(
        ("version", "parameters", "outputs"),
        is_closed=True,
        owner=OWNER,
        version=VERSION,
        parameters=mapping("Parameters", "JSON Schema of what a request may say."),
        outputs=mapping("Outputs", "JSON Schema of what it gives; secret ones have `writeOnly: true`."),
        classes=sequence(_CLASS, "Classes", "Sizes or plans; `default` when absent."),
        stateful=flag("Stateful", "It holds data: it is saved before it is destroyed.", default=False),
    ),
    (_OWNER,),
    icon="components",
    is_owned=True,
)

_CRITERION = fields(
    is_closed=True,
    resource=text("Resource", "Id of one resource."),
    environment=text("Environment", "Name of one environment."),
    application=text("Application", "Ref or name of one application."),
    environmentType=text("Environment type", examples=["production"]),
    when=_WHEN,
)

_GUARDRAIL = fields(
    ("id", "title"),
    is_closed=True,
    id=text("Id", pattern=SLUG_PATTERN),
    title=text("Title", examples=["Not reachable from the internet"]),
    description=text("Description"),
    given={"type": "boolean", "default": True, "title": "Given"},
)

RESOURCE_DEFINITION = KindDefinition(
    "ResourceDefinition",
    (API_VERSION,),
    "resource-definitions",
    "One way to provide a resource type: a driver, its inputs, where it applies, the guardrails it brings.",
    fields(
        ("type", "version", "driver"),
        is_closed=True,
        owner=OWNER,
        type=text("Resource type", "Name or ref.", examples=["postgres"]),
        version=VERSION,
        more={"class": text("Class", "Of the resource type; any when absent.", examples=["small"])},
        driver=text("Driver", examples=["local", "terraform", "crossplane", "aws", "command"]),
        inputs=mapping("Inputs", "What the driver is given."),
        criteria=sequence(
            _CRITERION,
            "Criteria",
            "It applies where all fields of one of them hold; everywhere when absent. The most specific wins.",
        ),
        guardrails=sequence(_GUARDRAIL, "Guardrails"),
        supportLevel={
            "enum": ["experimental", "supported", "deprecated"],
            "default": "supported",
            "title": "Support level",
        },
    ),
    (_OWNER, Relation("type", "provides", "providedBy", "ResourceType")),
    icon="puzzle",
    is_owned=True,
)

_APPROVAL = fields(
    ("approvers",),
    is_closed=True,
    approvers=texts(
        "Approvers", "Refs of groups or users; a plain name is a group. `owner` is the owner of what is deployed."
    ),
    count=whole("How many", minimum=1, default=1),
    fourEyes=flag("Four eyes", "Who started the deployment cannot approve it.", default=True),
    expiresAfterHours=whole("Expires after", "In hours; without it the installation's setting.", minimum=1),
)

ENVIRONMENT_TYPE = KindDefinition(
    "EnvironmentType",
    (API_VERSION,),
    "environment-types",
    "What environments of one type have in common: development, preview, staging, production.",
    fields(
        ("order", "runtime"),
        is_closed=True,
        owner=OWNER,
        order=whole("Order", "Its place on the way to production, from low to high.", minimum=0),
        runtime={"enum": ["process", "docker", "kubernetes", "external"], "title": "Runtime"},
        production=flag("Production", "It serves customers.", default=False),
        approval=_APPROVAL | {"title": "Approval", "description": "Asked for before each deployment."},
        expiresAfterHours=whole("Expires after", "For previews, in hours.", minimum=1),
        resourceClass=text("Resource class", "What resources get when the request names none.", examples=["small"]),
        variables=mapping("Variables", "Given to every workload.", additionalProperties={"type": "string"}),
        intendedDifferences=texts("Intended differences", "Variables that may differ from the type before it."),
    ),
    (_OWNER,),
    icon="stack-2",
    is_owned=True,
)

ROADBED_KINDS = (PIPELINE, RESOURCE_TYPE, RESOURCE_DEFINITION, ENVIRONMENT_TYPE)
