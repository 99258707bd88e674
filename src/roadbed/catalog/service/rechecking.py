"""After a kind has changed: what was checked against it before is checked again.

Locations with entities of it are read again. Entities that were put over the API stay as they are, with what is wrong
with them now.
"""

from collections.abc import Sequence

from roadbed.catalog.models import Entity
from roadbed.catalog.repository import kinds as rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.repository.changes import take_position
from roadbed.catalog.repository.touches import add_touches
from roadbed.catalog.rules.kinds import KindDefinition
from roadbed.catalog.rules.validation import check_held
from roadbed.catalog.service.kinds import kinds_at
from roadbed.catalog.service.locations import refresh_location
from roadbed.catalog.types import EntitiesChanged
from roadbed.core.actor import system_actor
from roadbed.core.db import WriteSession
from roadbed.core.events import Envelope
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.refs import parse_ref

ACTOR = system_actor("catalog")
_PIECE = 500


async def follow_kinds(session: WriteSession, envelope: Envelope[EntitiesChanged]) -> None:
    """Check the entities of kinds that were defined or changed."""
    names = [parse_ref(ref).name for ref, _, _ in envelope.event.changes if ref.startswith("kind:")]
    if not names:
        return
    await take_position(session)  # no entity changes meanwhile
    kinds = await kinds_at(session)
    for name in dict.fromkeys(names):
        definition = kinds.find(name)
        digest = definition.digest if definition else ""
        for location_id, known in await rows.list_users(session, name):
            if known != digest:
                await refresh_location(session, ACTOR, location_id)
        if definition is not None:
            await _recheck(session, definition)


async def _recheck(session: WriteSession, definition: KindDefinition) -> None:
    after = ""
    while piece := await rows.list_put(session, definition.name, after=after, limit=_PIECE):
        await _keep_errors(session, definition, piece)
        after = piece[-1].ref


async def _keep_errors(session: WriteSession, definition: KindDefinition, piece: Sequence[Entity]) -> None:
    refs = [row.ref for row in piece]
    before = await location_rows.list_own_faulty(session, refs)
    problems = [(row.ref, problem) for row in piece for problem in check_held(row.document, definition)]
    await location_rows.delete_own_errors(session, refs)
    await location_rows.add_errors(
        session,
        [
            {
                "id": new_id(),
                "location_id": None,
                "code": problem.code,
                "severity": problem.severity,
                "file": "",
                "line": 0,
                "column": 0,
                "path": problem.path,
                "reason": problem.reason,
                "hint": problem.hint,
                "ref": ref,
                "at": now(),
            }
            for ref, problem in problems
        ],
    )
    await add_touches(session, before | {ref for ref, _ in problems})
