"""What other domains may use of the catalog.

Panels for the entity page are added with `core.html.PANELS` at the places below; each is loaded with the
`EntitySummary` of the page.
"""

from roadbed.catalog.access import ENTITY_READ, ENTITY_WRITE, FOLLOW_WRITE, KIND_WRITE, LOCATION_READ, LOCATION_WRITE
from roadbed.catalog.errors import (
    EntityInvalid,
    EntityManaged,
    EntityNotFound,
    LocationExists,
    LocationInvalid,
    LocationMissing,
    LocationNotFound,
    LocationUnreadable,
)
from roadbed.catalog.rules.documents import Document, Reading, from_json, read_documents
from roadbed.catalog.rules.health import is_bad, worst_of
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, ENTITY_KINDS, KindDefinition, Kinds, Relation
from roadbed.catalog.rules.ownership import owners_of
from roadbed.catalog.rules.problems import Problem, Severity
from roadbed.catalog.rules.sources import MANAGED_BY, VIEW_URL
from roadbed.catalog.rules.targets import ELSEWHERE, is_glob, match_glob
from roadbed.catalog.rules.validation import check as check_document
from roadbed.catalog.rules.words import HEALTH_STATES, health_of, icon_of, kind_word, state_of
from roadbed.catalog.service.care import remember
from roadbed.catalog.service.entities import (
    PutEntity,
    delete_entity,
    find_entity,
    get_entity,
    list_annotated,
    list_by_refs,
    list_targets,
    put_entities,
    validate,
)
from roadbed.catalog.service.follows import list_followed
from roadbed.catalog.service.health import find_health
from roadbed.catalog.service.listing import list_entities, list_titles
from roadbed.catalog.service.locations import (
    INGEST,
    get_location,
    refresh_location,
    register_location,
    remove_location,
)
from roadbed.catalog.service.reading import get_overview, list_recent_changes
from roadbed.catalog.service.statuses import list_statuses, report_status, withdraw_status
from roadbed.catalog.service.trees import LocationPlace, LocationTree, LocationTrees, place_of_location
from roadbed.catalog.service.visits import list_visited
from roadbed.catalog.service.waiting import wait_for_entity
from roadbed.catalog.types import (
    LOCATION_SOURCES,
    SHIPPED_ENTITIES,
    AnnotatedEntity,
    Bookmark,
    ChangeKind,
    EntitiesChanged,
    EntityFilter,
    EntitySummary,
    Health,
    LocationSource,
    LocationSummary,
    LocationType,
    Look,
    Memory,
    ReadLater,
    RecentChange,
    RequestBudget,
    ShippedEntities,
    Source,
    SourceContext,
    SourceReader,
    Status,
    StatusReport,
    entity_href,
)

PLACE_STRIP = "catalog.entity.strip"
"""Above the fold: health and what runs where."""
PLACE_ACTIONS = "catalog.entity.actions"
"""Buttons beside the heading."""
PLACE_FACTS = "catalog.entity.facts"
"""`<li>` elements under the heading."""
PLACE_TABS = "catalog.entity.tabs"
"""Links after the tabs, over every tab of an entity."""
PLACE_MAIN = "catalog.entity.main"
"""Cards in the wide column."""
PLACE_ASIDE = "catalog.entity.aside"
"""Cards in the narrow column."""

__all__ = [
    "BUILT_IN_KINDS",
    "ELSEWHERE",
    "ENTITY_KINDS",
    "ENTITY_READ",
    "ENTITY_WRITE",
    "FOLLOW_WRITE",
    "HEALTH_STATES",
    "INGEST",
    "KIND_WRITE",
    "LOCATION_READ",
    "LOCATION_SOURCES",
    "LOCATION_WRITE",
    "MANAGED_BY",
    "PLACE_ACTIONS",
    "PLACE_ASIDE",
    "PLACE_FACTS",
    "PLACE_MAIN",
    "PLACE_STRIP",
    "PLACE_TABS",
    "SHIPPED_ENTITIES",
    "VIEW_URL",
    "AnnotatedEntity",
    "Bookmark",
    "ChangeKind",
    "Document",
    "EntitiesChanged",
    "EntityFilter",
    "EntityInvalid",
    "EntityManaged",
    "EntityNotFound",
    "EntitySummary",
    "Health",
    "KindDefinition",
    "Kinds",
    "LocationExists",
    "LocationInvalid",
    "LocationMissing",
    "LocationNotFound",
    "LocationPlace",
    "LocationSource",
    "LocationSummary",
    "LocationTree",
    "LocationTrees",
    "LocationType",
    "LocationUnreadable",
    "Look",
    "Memory",
    "Problem",
    "PutEntity",
    "ReadLater",
    "Reading",
    "RecentChange",
    "Relation",
    "RequestBudget",
    "Severity",
    "ShippedEntities",
    "Source",
    "SourceContext",
    "SourceReader",
    "Status",
    "StatusReport",
    "check_document",
    "delete_entity",
    "entity_href",
    "find_entity",
    "find_health",
    "from_json",
    "get_entity",
    "get_location",
    "get_overview",
    "health_of",
    "icon_of",
    "is_bad",
    "is_glob",
    "kind_word",
    "list_annotated",
    "list_by_refs",
    "list_entities",
    "list_followed",
    "list_recent_changes",
    "list_statuses",
    "list_targets",
    "list_titles",
    "list_visited",
    "match_glob",
    "owners_of",
    "place_of_location",
    "put_entities",
    "read_documents",
    "refresh_location",
    "register_location",
    "remember",
    "remove_location",
    "report_status",
    "state_of",
    "validate",
    "wait_for_entity",
    "withdraw_status",
    "worst_of",
]
