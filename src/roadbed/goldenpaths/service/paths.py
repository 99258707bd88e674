"""Finding golden paths in the catalog, with where they come from and whether they can be started."""

from functools import lru_cache
from posixpath import dirname
from uuid import UUID

from roadbed.catalog.contract import (
    EntityFilter,
    EntityNotFound,
    EntitySummary,
    LocationSummary,
    find_entity,
    get_location,
    list_entities,
)
from roadbed.core.db import ReadSession
from roadbed.goldenpaths import repository as rows
from roadbed.goldenpaths.errors import PathNotFound
from roadbed.goldenpaths.models import ProductRow
from roadbed.goldenpaths.rules.plans import list_problems
from roadbed.goldenpaths.service.calls import ENGINE, list_actions
from roadbed.goldenpaths.types import (
    SUPPORT_ANNOTATION,
    VERSION_ANNOTATION,
    GoldenPath,
    PathOrigin,
    Product,
    Source,
)
from roadbed.kit.jsons import canonical_json, parse_json
from roadbed.kit.refs import EntityRef

_PLACE = "backstage.io/managed-by-location"
_OWN_HOST = "git:roadbed:"


async def list_paths(session: ReadSession) -> list[GoldenPath]:
    """Return all golden paths: supported ones first, then by title."""
    used = await rows.count_by_path(session)
    found = await list_entities(session, EntityFilter(kinds=("template",)))
    paths = [await _read(session, entity, used.get(str(entity.ref), 0)) for entity in found]
    return sorted(paths, key=lambda path: (path.support_level != "supported", path.title.lower()))


async def get_path(session: ReadSession, namespace: str, name: str) -> GoldenPath:
    """Return a golden path.

    Raises:
        PathNotFound: with the names of those that exist.
    """
    ref = EntityRef("Template", namespace, name)
    entity = await find_entity(session, ref)
    if entity is None:
        names = [path.ref.removeprefix("template:") for path in await list_paths(session)]
        raise PathNotFound(
            f"There is no golden path {namespace}/{name}.",
            hint=f"There are: {', '.join(names)}." if names else "The catalog has no Template entity yet.",
        ) from EntityNotFound(str(ref))
    used = await rows.count_by_path(session)
    return await _read(session, entity, used.get(str(ref), 0))


async def find_product_of(session: ReadSession, entity_ref: str) -> Product | None:
    """Return what a golden path made as this entity."""
    row = await rows.find_of_entity(session, entity_ref)
    return show_product(row) if row else None


async def list_products_of_run(session: ReadSession, run_id: UUID) -> list[Product]:
    """Return what a run made, as far as it is still there."""
    return [show_product(row) for row in await rows.list_of_run(session, run_id)]


def show_product(row: ProductRow) -> Product:
    return Product(
        id=row.id,
        run_id=row.run_id,
        path_ref=row.path_ref,
        version=row.version,
        commit=row.commit,
        repository_id=row.repository_id,
        repository=row.repository,
        entity_ref=row.entity_ref,
        created_by=row.created_by,
        created_at=row.created_at,
    )


async def _read(session: ReadSession, entity: EntitySummary, used_by: int) -> GoldenPath:
    location = await get_location(session, entity.location_id) if entity.location_id else None
    source = _find_source(entity, location)
    actions = frozenset(list_actions(session.services))
    problems = list(_inspect(canonical_json(dict(entity.spec)), actions))
    if source is None:
        problems.append(
            "Its files cannot be read: a golden path lies in a repository of Roadbed's own host, so that each run is "
            f"bound to a commit. This one comes from {entity.annotations.get(_PLACE, 'the API, without files')}."
        )
    if entity.orphaned_at is not None:
        problems.append(f"It is no longer in {entity.annotations.get(_PLACE, 'its source')}.")
    version = entity.annotations.get(VERSION_ANNOTATION, "")
    return GoldenPath(
        origin=PathOrigin(str(entity.ref), entity.title, version, source) if source else None,
        namespace=entity.ref.namespace,
        name=entity.ref.name,
        title=entity.title,
        description=entity.description,
        type=entity.type or "",
        version=version,
        support_level=entity.annotations.get(SUPPORT_ANNOTATION, "unknown"),
        owner=str(entity.owner) if entity.owner else None,
        tags=entity.tags,
        used_by=used_by,
        spec=entity.spec,
        problems=tuple(problems),
    )


@lru_cache(maxsize=256)
def _inspect(spec: bytes, actions: frozenset[str]) -> tuple[str, ...]:
    return tuple(list_problems(parse_json(spec), actions=actions, engine=ENGINE))


def _find_source(entity: EntitySummary, location: LocationSummary | None) -> Source | None:
    """Return where the files beside a template are; None when they cannot be read from there."""
    if location is None:
        return None
    place = entity.annotations.get(_PLACE, "")
    if not place.startswith(_OWN_HOST) or location.revision is None:
        return None
    repository, _, rest = place.removeprefix(_OWN_HOST).partition("#")
    return Source(repository, location.revision, dirname(rest.partition(":")[2]))
