"""The words and icons with which pages show entities."""

from collections.abc import Sequence
from typing import Protocol

from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.model import split_words
from roadbed.catalog.types import Health, Status
from roadbed.kit.refs import EntityRef

_TYPE_ICONS = {"website": "world", "library": "package", "database": "database", "bucket": "bucket", "queue": "bolt"}
_PROPER_NAMES = {"openapi": "OpenAPI", "asyncapi": "AsyncAPI", "graphql": "GraphQL", "grpc": "gRPC", "trpc": "tRPC"}
HEALTH_STATES = {
    Health.HEALTHY: ("ok", "Healthy"),
    Health.DEPLOYING: ("run", "Deploying"),
    Health.UNKNOWN: ("off", "Unknown"),
    Health.DEGRADED: ("warn", "Degraded"),
    Health.FAILING: ("bad", "Failing"),
}
RELATION_TITLES = {
    "dependsOn": "Depends on",
    "dependencyOf": "Depended on by",
    "providesApi": "Provides",
    "consumesApi": "Consumes",
    "apiProvidedBy": "Provided by",
    "apiConsumedBy": "Consumed by",
    "ownerOf": "Owns",
    "hasMember": "Members",
    "memberOf": "Member of",
    "parentOf": "Groups below",
    "childOf": "Group above",
    "hasPart": "Parts",
    "partOf": "Part of",
    "provides": "Provides",
    "providedBy": "Provided by",
    "extends": "Extends",
    "extendedBy": "Extended by",
}


class Shown(Protocol):
    """What words and icons are asked for."""

    @property
    def ref(self) -> EntityRef: ...
    @property
    def type(self) -> str | None: ...


def icon_of(entity: Shown, kinds: Kinds) -> str:
    """Return the icon of an entity: by its type where that says more, else by its kind."""
    definition = kinds.find(entity.ref.kind)
    return _TYPE_ICONS.get(entity.type or "") or (definition.icon if definition else "box")


def kind_word(entity: Shown) -> str:
    """Return the word for what an entity is: its type, else its kind."""
    if not entity.type:
        return split_words(entity.ref.kind)
    return _PROPER_NAMES.get(entity.type.lower()) or entity.type.replace("-", " ").capitalize()


def relation_title(type_: str, kinds: Kinds) -> str:
    """Return a heading for a relation: `runsOn` → `Runs on` when no better one is known."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type_)
    return RELATION_TITLES.get(type_) or kinds.relation_titles.get(type_) or spaced.capitalize()


def state_of(status: Status | None) -> tuple[str, str] | None:
    """Return the kind and word of a health, or None when nothing is reported."""
    return None if status is None else word_of(status.state)


def word_of(state: str) -> tuple[str, str]:
    """Return the kind and word of a reported health, also of one that is none of `Health`."""
    return HEALTH_STATES[Health(state)] if state in set(Health) else ("info", state.capitalize())


def rollup_word(state: Health | None) -> tuple[str, str]:
    """Return the kind and word of a rolled up health."""
    return ("off", "Not checked") if state in (None, Health.UNKNOWN) else HEALTH_STATES[state]


def health_of(statuses: Sequence[Status]) -> Status | None:
    return next((status for status in statuses if status.key == "health"), None)
