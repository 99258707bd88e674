"""What people follow: by ref, so that it stays when an entity goes and comes back."""

from roadbed.catalog.errors import TooManyKept
from roadbed.catalog.repository import follows as rows
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.service.entities import get_entity
from roadbed.catalog.service.index import sees
from roadbed.catalog.types import Bookmark
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.kit.refs import EntityRef, parse_ref

MOST_FOLLOWED = 500


async def follow_entity(session: WriteSession, actor: Actor, ref: EntityRef) -> None:
    """Follow an entity; one that is followed already stays so.

    Raises:
        EntityNotFound: there is none.
        TooManyKept: `actor` follows as many as one may.
    """
    entity = await get_entity(session, ref)
    await lock_transaction(session, f"catalog.follows:{actor.id}")
    if await rows.count_follows(session, actor.id) >= MOST_FOLLOWED:
        raise TooManyKept(
            f"You follow {MOST_FOLLOWED} entities; there cannot be more.", hint="Unfollow some, or save a view."
        )
    await rows.add_follow(session, actor.id, str(ref), entity.title)


async def unfollow_entity(session: WriteSession, actor: Actor, ref: EntityRef) -> None:
    """Follow an entity no longer; it need not be there."""
    await rows.delete_follow(session, actor.id, str(ref))


async def is_following(session: ReadSession, actor: Actor, ref: EntityRef) -> bool:
    return await rows.is_following(session, actor.id, str(ref))


async def list_followed_refs(session: ReadSession, actor: Actor) -> frozenset[str]:
    """Return the refs of all that somebody follows, there or not."""
    return frozenset(await rows.list_refs(session, actor.id))


async def list_followed(
    session: ReadSession, actor: Actor, *, after: str | None = None, limit: int = MOST_FOLLOWED
) -> list[Bookmark]:
    """Return what somebody follows, by ref from behind `after`; what is gone, or hidden from them now, is not found."""
    kinds = session.services.get(Kinds)
    found = []
    for row in await rows.list_follows(session, actor.id, after=after, limit=limit):
        ref, is_found = spell(row.ref, kinds), row.title is not None and sees(session, row.ref)
        if is_found:
            found.append(Bookmark(ref, row.title, row.type, row.owner, row.health, is_found, row.at))
        else:
            found.append(Bookmark(ref, row.kept, None, None, None, is_found, row.at))
    return found


def spell(text: str, kinds: Kinds) -> EntityRef:
    """Return a ref that was kept in lower case, with its kind as people write it."""
    ref = parse_ref(text)
    definition = kinds.find(ref.kind)
    return EntityRef(definition.name if definition else ref.kind, ref.namespace, ref.name)
