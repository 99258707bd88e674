"""The kinds in force: in this process, and at the position of a write; finding those that a request names."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import structlog

from roadbed.catalog.errors import KindInUse, KindNotFound
from roadbed.catalog.repository import kinds as rows
from roadbed.catalog.rules.declarations import with_declared
from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.harvest import Harvest
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.declared import define
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.suggestions import say_closest
from roadbed.core.db import ReadSession
from roadbed.core.services import Services
from roadbed.kit.text import plural

log = structlog.get_logger(__name__)


class KindRegistry:
    """Keeps `Kinds` among the services to what the catalog declares, as far as the index has followed it."""

    def __init__(self, services: Services, built_in: Kinds) -> None:
        self._services = services
        self._built_in = built_in
        self._known: tuple[tuple[str, str], ...] = ()
        self._kinds = built_in
        self._definitions: dict[tuple[str, str], KindDefinition | None] = {}
        services.put(Kinds, built_in)

    async def follow(self, session: ReadSession) -> None:
        """Make the kinds in force those that a session sees."""
        self._services.replace(Kinds, await self.read(session))

    async def read(self, session: ReadSession) -> Kinds:
        """Return the kinds as a session sees them; a write that has taken its position sees those of its position."""
        known = tuple((row.ref, row.digest) for row in await rows.list_declared(session))
        if known == self._known:
            return self._kinds
        definitions = await self._define(session, known)
        kinds = self._built_in.with_kinds(kind for kind in definitions.values() if kind is not None)
        self._known, self._kinds, self._definitions = known, kinds, definitions
        return kinds

    async def _define(
        self, session: ReadSession, known: tuple[tuple[str, str], ...]
    ) -> dict[tuple[str, str], KindDefinition | None]:
        """Return the definitions of these; what is defined, and perhaps compiled, already stays so."""
        found = {key: self._definitions[key] for key in known if key in self._definitions}
        missing = {ref: digest for ref, digest in known if (ref, digest) not in found}
        documents = await rows.list_documents(session, missing) if missing else {}
        for ref, digest in missing.items():
            kinds = with_declared(self._built_in, [from_json(documents[ref])])
            definition = next((kind for kind in kinds if kind.is_declared), None)
            found[ref, digest] = definition
            if definition is None:
                log.warning("catalog.kind_not_in_force", ref=ref)
        return found


async def kinds_at(session: ReadSession) -> Kinds:
    """Return the kinds as a session sees them."""
    return await session.services.get(KindRegistry).read(session)


@dataclass(frozen=True)
class LocationKinds:
    """The kinds that entities of a location are checked against.

    `elsewhere` are the refs of those that another location, or the API, holds: there they are changed, and not here.
    """

    in_force: Kinds
    elsewhere: frozenset[str]

    def with_those_of(self, harvest: Harvest) -> Kinds:
        """Return the kinds with those that a reading of the location brings; the very same when it changes none."""
        found: dict[str, KindDefinition] = {}
        for entity in (entity for file in harvest.files for entity in file.entities or ()):
            if entity.ref.kind == KIND.name and str(entity.ref) not in self.elsewhere:
                found.setdefault(str(entity.ref), define(entity.document))
        changed = [kind for kind in found.values() if self._digest_of(kind.name) != kind.digest]
        return self.in_force.with_kinds(changed) if changed else self.in_force

    def _digest_of(self, name: str) -> str:
        known = self.in_force.find(name)
        return known.digest if known else ""


async def find_kinds(session: ReadSession, location_id: UUID) -> LocationKinds:
    """Return what the entities of a location are checked against."""
    others = {
        row.ref for row in await rows.list_declared(session) if row.location_id != location_id and not row.is_orphan
    }
    return LocationKinds(await kinds_at(session), frozenset(others))


async def list_used(session: ReadSession, refs: Iterable[str], *, without: UUID | None = None) -> dict[str, int]:
    """Return which of these entities define kinds that have entities, and how many; those of a location left out."""
    going = [ref for ref in refs if ref.startswith("kind:")]
    if not going:
        return {}
    names = {ref: document["metadata"]["name"] for ref, document in (await rows.list_documents(session, going)).items()}
    counts = await rows.count_of_kinds(session, names.values(), without=without)
    return {ref: counts[name] for ref, name in names.items() if name in counts}


async def require_unused(session: ReadSession, refs: Iterable[str], *, without: UUID | None = None) -> None:
    """Let kinds go only when no entities would be left that nothing describes.

    Args:
        session: the transaction.
        refs: of entities that are about to go, whatever their kind.
        without: a location whose entities go as well.

    Raises:
        KindInUse: says how many entities there are.
    """
    for ref, count in (await list_used(session, refs, without=without)).items():
        raise KindInUse(
            f"There {'is' if count == 1 else 'are'} {plural(count, 'entity', 'entities')} of the kind that {ref} "
            "defines, so it cannot go.",
            hint="Delete them first, or remove their locations.",
        )


def get_kind(kinds: Kinds, name: str) -> KindDefinition:
    """Return the kind of that name, without regard to case.

    Raises:
        KindNotFound: with the closest name, if one is near.
    """
    definition = kinds.find(name)
    if definition is None:
        known = [one.name for one in kinds]
        hint = say_closest(name, known) or f"There are: {', '.join(known)}."
        raise KindNotFound(f"There is no kind {name}.", hint=hint)
    return definition


def require_kinds(kinds: Kinds, names: Iterable[str]) -> None:
    """Raise KindNotFound for the first name that is no kind."""
    for name in names:
        get_kind(kinds, name)
