"""What the reader owns, as Home shows it: health, what runs in production, and changes that are open."""

from collections.abc import Sequence
from dataclasses import dataclass

from roadbed.catalog.contract import (
    EntityFilter,
    EntitySummary,
    Kinds,
    Status,
    health_of,
    icon_of,
    kind_word,
    list_entities,
    list_statuses,
    list_titles,
    state_of,
)
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.environments.contract import ENVIRONMENT_READ, WorkloadView, list_in_production
from roadbed.scm.contract import REPOSITORY_READ, OpenChanges, count_open_changes

OWNED_COUNTED = 200
_COMPONENT = "Component"


@dataclass(frozen=True)
class Owned:
    """One line of "Yours". `production` are its workloads there; `changes` is None where no repository is known."""

    entity: EntitySummary
    icon: str
    word: str
    health: tuple[str, str] | None
    status: Status | None
    production: tuple[WorkloadView, ...]
    changes: OpenChanges | None

    @property
    def is_deployed_by_itself(self) -> bool:
        return self.entity.ref.kind == _COMPONENT


async def list_owned(session: ReadSession, owners: Sequence[str]) -> list[EntitySummary]:
    """Return what these own, what runs before what it belongs to."""
    if not owners:
        return []
    found = await list_entities(session, EntityFilter(owners=tuple(owners)), limit=OWNED_COUNTED)
    return sorted(found, key=lambda entity: entity.ref.kind != _COMPONENT)


async def show_owned(session: ReadSession, actor: Actor, entities: Sequence[EntitySummary]) -> list[Owned]:
    """Return the lines of entities; what `actor` may not see of them is as if it were not there."""
    if not entities:
        return []
    may = session.services.get(DeciderService).has
    kinds = session.services.get(Kinds)
    statuses = await list_statuses(session, [entity.ref for entity in entities])
    components = [str(entity.ref) for entity in entities if entity.ref.kind == _COMPONENT]
    sees_production = bool(components) and may(actor, ENVIRONMENT_READ)
    production = await list_in_production(session, components) if sees_production else []
    sees_changes = bool(components) and may(actor, REPOSITORY_READ)
    changes = await count_open_changes(session, components) if sees_changes else {}
    rows = []
    for entity in entities:
        status = health_of(statuses[entity.ref])
        ref = str(entity.ref)
        rows.append(
            Owned(
                entity=entity,
                icon=icon_of(entity, kinds),
                word=kind_word(entity),
                health=state_of(status),
                status=status,
                production=tuple(one for one in production if one.component == ref),
                changes=changes.get(ref),
            )
        )
    return rows


def list_titles_of_owners(session: ReadSession, entities: Sequence[EntitySummary]) -> list[str]:
    refs = {entity.owner for entity in entities if entity.owner is not None}
    titles = list_titles(session, map(str, refs))
    return sorted(titles.get(str(ref)) or ref.shorten(default_kind="Group") for ref in refs)
