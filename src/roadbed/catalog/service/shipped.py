"""The entities that come with Roadbed: put at start."""

from dataclasses import dataclass, replace

from roadbed.catalog.repository import entities as rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.documents import Document, read_documents
from roadbed.catalog.rules.sources import OWN_REPOSITORIES
from roadbed.catalog.service.entities import put_built_in, put_entities
from roadbed.catalog.service.listing import count_entities
from roadbed.catalog.types import SHIPPED_ENTITIES, EntityFilter
from roadbed.core.actor import system_actor
from roadbed.core.bundled import bundled
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.extension import Registry
from roadbed.kit.refs import ref_of

ACTOR = system_actor("catalog")


@dataclass(frozen=True)
class ShippedRefs:
    """What came with this Roadbed."""

    refs: frozenset[str]


async def put_shipped(session: WriteSession) -> ShippedRefs:
    """Put what modules ship: built-in as it is now, the rest where it is missing; returns all that is shipped."""
    await lock_transaction(session, "catalog:shipped")
    refs: set[str] = set()
    for shipped in session.services.get(Registry).get(SHIPPED_ENTITIES):
        reading = read_documents((bundled("examples") / shipped.file).read_bytes(), file=shipped.file)
        mine = {_ref(document) for document in reading.documents}
        refs |= mine
        if shipped.is_built_in:
            await put_built_in(session, ACTOR, reading)
            continue
        held = {row.ref for row in await rows.list_by_refs(session, mine)}
        missing = tuple(document for document in reading.documents if _ref(document) not in held)
        if missing or reading.problems:
            await put_entities(session, ACTOR, replace(reading, documents=missing))
    return ShippedRefs(frozenset(refs))


def _ref(document: Document) -> str:
    return str(ref_of(document.data))


async def holds_only_shipped(session: ReadSession) -> bool:
    """Tell whether nobody has put anything into the catalog yet."""
    held = await rows.list_by_refs(session, session.services.get(ShippedRefs).refs)
    own = [row.id for row in await location_rows.list_by_prefix(session, OWN_REPOSITORIES)]
    read = await location_rows.count_entities(session, own)
    return count_entities(session, EntityFilter()) == len(held) + sum(read.values())
