"""What people looked at last, so that they find it again."""

import structlog

from roadbed.catalog.repository import visits as rows
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.service.follows import spell
from roadbed.catalog.service.index import sees
from roadbed.catalog.types import Bookmark
from roadbed.core.actor import Actor, ActorKind
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.errors import TransactionLost
from roadbed.core.services import Services
from roadbed.kit.refs import EntityRef

KEPT = 20
log = structlog.get_logger(__name__)


def is_noted(actor: Actor) -> bool:
    """Tell whether it is kept what somebody looks at: that of people with a browser, not of programs and tokens."""
    return actor.kind is ActorKind.USER and (actor.credential or "").startswith("session:")


async def note_visit(services: Services, actor: Actor, ref: EntityRef) -> None:
    """Note, once the page was answered, that somebody looked at it; without the database it is not noted."""
    try:
        async with services.get(Database).write() as session:
            await rows.add_visit(session, actor.id, str(ref), keep=KEPT)
    except TransactionLost as error:
        log.warning("catalog.visit_not_noted", ref=str(ref), reason=error.message)


async def list_visited(session: ReadSession, actor: Actor) -> list[Bookmark]:
    """Return what somebody looked at last and is still there, the newest first."""
    kinds = session.services.get(Kinds)
    return [
        Bookmark(spell(row.ref, kinds), row.title, row.type, row.owner, None, True, row.at)  # noqa: FBT003 - it is found
        for row in await rows.list_visits(session, actor.id)
        if sees(session, row.ref)
    ]


async def clear_visits(session: WriteSession, actor: Actor) -> None:
    await rows.delete_visits(session, actor.id)
