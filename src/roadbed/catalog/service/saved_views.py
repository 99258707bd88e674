"""The views that people save: states of the list of entities under a name, their own or shared.

A view holds what is asked for and never what was found: each reader sees what they may see. One that is deleted can be
restored for a while.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.access import VIEW_GOVERN, VIEW_WRITE
from roadbed.catalog.errors import TooManyKept, ViewExists, ViewForbidden, ViewInvalid, ViewNotFound
from roadbed.catalog.models import SavedView
from roadbed.catalog.repository import saved_views as rows
from roadbed.catalog.repository.saved_views import Reader
from roadbed.catalog.types import EVERYBODY, SavedViewSummary, ViewWish
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.etags import Condition
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.jsons import digest
from roadbed.kit.refs import InvalidRef, parse_ref

MOST_VIEWS = 100
LONGEST_NAME = 60
MOST_DELETED = 20
KEPT_DELETED = timedelta(days=30)


async def list_views(
    session: ReadSession, actor: Actor, *, after_id: UUID | None = None, limit: int, is_deleted: bool = False
) -> list[SavedViewSummary]:
    """Return the views that somebody may see, or those that they can restore, in the order in which they were saved."""
    reader = _reader(session, actor)
    found = await rows.list_views(session, reader, after_id=after_id, limit=limit, is_deleted=is_deleted)
    return [_summarise(session, actor, view, is_default=is_default) for view, is_default in found]


async def list_nearest_views(session: ReadSession, actor: Actor, *, limit: int) -> list[SavedViewSummary]:
    """Return the views that somebody may see: the default, then their own, then those of others, by name."""
    found = await rows.list_nearest(session, _reader(session, actor), limit=limit)
    return [_summarise(session, actor, view, is_default=is_default) for view, is_default in found]


async def get_view(session: ReadSession, actor: Actor, view_id: UUID) -> SavedViewSummary:
    """Return a view.

    Raises:
        ViewNotFound: there is none, or it is not shared with `actor`.
    """
    view, is_default = await _get(session, actor, view_id)
    return _summarise(session, actor, view, is_default=is_default)


async def find_default_view(session: ReadSession, actor: Actor) -> SavedViewSummary | None:
    """Return the view with which the list opens for somebody."""
    found = await rows.find_default(session, _reader(session, actor))
    return None if found is None else _summarise(session, actor, found[0], is_default=True)


async def find_own_view(session: ReadSession, actor: Actor, name: str) -> SavedViewSummary | None:
    """Return the own view of that name."""
    found = await rows.find_named(session, actor.id, _clean(name))
    return None if found is None else _summarise(session, actor, found, is_default=False)


async def save_view(session: WriteSession, actor: Actor, wish: ViewWish) -> SavedViewSummary:
    """Save a new view.

    Raises:
        ViewInvalid: its name or its readers cannot be so.
        ViewExists: `actor` has one of that name.
        TooManyKept: `actor` has as many as one may.
    """
    await lock_transaction(session, f"catalog.views:{actor.id}")
    wish = _check(actor, wish)
    if await rows.find_named(session, actor.id, wish.name) is not None:
        raise _exists(wish.name)
    await _require_room(session, actor.id)
    view = SavedView(id=new_id(), account_id=actor.id, owner=actor.label, **_columns(wish))
    session.add(view)
    await session.flush()
    await _record(session, actor, "catalog.view_saved", view, before=None, after=wish)
    return _summarise(session, actor, view, is_default=False)


async def change_view(
    session: WriteSession, actor: Actor, view_id: UUID, wish: ViewWish, *, condition: Condition | None
) -> SavedViewSummary:
    """Give a view another name, state or readers.

    Raises:
        ViewNotFound, ViewForbidden: it is not there, or not `actor`'s to change.
        ViewInvalid, ViewExists: as when saving.
        PreconditionFailed: `condition` knows another state of it.
    """
    view, is_default = await _lock(session, actor, view_id, condition)
    before = ViewWish(view.name, view.query, view.shared_with)
    wish = _check(actor, wish, known=view.shared_with)
    namesake = await rows.find_named(session, view.account_id, wish.name)
    if namesake is not None and namesake.id != view.id:
        raise _exists(wish.name)
    for name, value in _columns(wish).items():
        setattr(view, name, value)
    await session.flush()
    await _record(session, actor, "catalog.view_changed", view, before=before, after=wish)
    return _summarise(session, actor, view, is_default=is_default)


async def delete_view(session: WriteSession, actor: Actor, view_id: UUID, *, condition: Condition | None) -> None:
    """Delete a view, for everybody with whom it is shared; it can be restored for a while.

    Raises:
        ViewNotFound, ViewForbidden, PreconditionFailed: as when changing.
    """
    view, _ = await _lock(session, actor, view_id, condition)
    view.deleted_at = now()
    await session.flush()
    await rows.forget_deleted_of(session, view.account_id, keep=MOST_DELETED)
    before = ViewWish(view.name, view.query, view.shared_with)
    await _record(session, actor, "catalog.view_deleted", view, before=before, after=None)


async def restore_view(session: WriteSession, actor: Actor, view_id: UUID) -> SavedViewSummary:
    """Have a view again that was deleted, for all who saw it; one that is there stays as it is.

    Raises:
        ViewNotFound: it was never there, or is forgotten.
        ViewExists: its owner has another one of that name by now.
        TooManyKept: its owner has as many as one may.
    """
    await lock_transaction(session, f"catalog.view:{view_id}")
    found = await rows.find_deleted(session, _reader(session, actor), view_id)
    if found is None:
        return await get_view(session, actor, view_id)
    view, is_default = found
    await lock_transaction(session, f"catalog.views:{view.account_id}")
    if await rows.find_named(session, view.account_id, view.name) is not None:
        raise ViewExists(
            f"There is another view “{view.name}” by now.", hint="Give that one another name, then restore this one."
        )
    await _require_room(session, view.account_id)
    view.deleted_at = None
    await session.flush()
    after = ViewWish(view.name, view.query, view.shared_with)
    await _record(session, actor, "catalog.view_restored", view, before=None, after=after)
    return _summarise(session, actor, view, is_default=is_default)


async def forget_deleted_views(session: WriteSession) -> None:
    """Forget what was deleted long ago."""
    await rows.forget_deleted_before(session, now() - KEPT_DELETED)


async def set_default_view(session: WriteSession, actor: Actor, view_id: UUID, *, is_default: bool) -> None:
    """Have the list open with a view for `actor`, or no longer.

    Raises:
        ViewNotFound: there is none.
    """
    await lock_transaction(session, f"catalog.view:{view_id}")
    await _get(session, actor, view_id)
    if is_default:
        await rows.set_default(session, actor.id, view_id)
    else:
        await rows.clear_default(session, actor.id, view_id)


async def _get(session: ReadSession, actor: Actor, view_id: UUID) -> tuple[SavedView, bool]:
    found = await rows.find_view(session, _reader(session, actor), view_id)
    if found is None:
        raise ViewNotFound(f"There is no view {view_id}.", hint="It was deleted, or is not shared with you any more.")
    return found


async def _lock(
    session: WriteSession, actor: Actor, view_id: UUID, condition: Condition | None
) -> tuple[SavedView, bool]:
    """Return a view as it is now, and keep others from changing it until this transaction ends."""
    await lock_transaction(session, f"catalog.view:{view_id}")
    view, is_default = await _get(session, actor, view_id)
    await lock_transaction(session, f"catalog.views:{view.account_id}")
    if not _may_change(session, actor, view):
        raise ViewForbidden(
            f"The view “{view.name}” is one of {view.owner.partition(':')[2]}.",
            hint="Save the list as one of your own.",
        )
    if condition is not None:
        condition.require(view.digest, what=f"The view “{view.name}”")
    return view, is_default


async def _require_room(session: ReadSession, account_id: str) -> None:
    if await rows.count_views(session, account_id) >= MOST_VIEWS:
        raise TooManyKept(f"Nobody has more than {MOST_VIEWS} views.", hint="Delete one of them.")


def _check(actor: Actor, wish: ViewWish, *, known: str | None = None) -> ViewWish:
    """Return a wish as it is kept; with whom it is shared already need not be checked again."""
    name = _clean(wish.name)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ViewInvalid(
            f"A view needs a name of 1 to {LONGEST_NAME} characters.", problems=["name: write what it shows, in words"]
        )
    shared_with = wish.shared_with if wish.shared_with in (None, EVERYBODY, known) else _group_of(wish.shared_with)
    if shared_with not in (None, EVERYBODY, known) and shared_with not in actor.groups:
        raise ViewInvalid(
            "A view is shared with everybody, or with a group that you belong to.",
            problems=[f"shared_with: {shared_with} is no group of yours"],
        )
    return ViewWish(name, wish.query, shared_with)


def _group_of(text: str | None) -> str | None:
    try:
        return str(parse_ref(text, default_kind="Group"))
    except InvalidRef:
        return text


def _clean(name: str) -> str:
    return " ".join(name.split())


def _columns(wish: ViewWish) -> dict[str, object]:
    kept = {"name": wish.name, "query": wish.query, "shared_with": wish.shared_with}
    return {**kept, "digest": digest(kept)[:16], "updated_at": now()}


def _exists(name: str) -> ViewExists:
    return ViewExists(f"There is a view “{name}” already.", hint="Choose another name, or change that one.")


def _reader(session: ReadSession, actor: Actor) -> Reader:
    governs = session.services.get(DeciderService).has(actor, VIEW_GOVERN)
    return Reader(actor.id, sorted(actor.groups), governs)


def _may_change(session: ReadSession, actor: Actor, view: SavedView) -> bool:
    may = session.services.get(DeciderService).has
    return may(actor, VIEW_WRITE) if view.account_id == actor.id else may(actor, VIEW_GOVERN)


def _summarise(session: ReadSession, actor: Actor, view: SavedView, *, is_default: bool) -> SavedViewSummary:
    return SavedViewSummary(
        id=view.id,
        name=view.name,
        query=view.query,
        shared_with=view.shared_with,
        owner=view.owner,
        digest=view.digest,
        updated_at=view.updated_at,
        is_own=view.account_id == actor.id,
        is_default=is_default,
        may_change=_may_change(session, actor, view),
        deleted_at=view.deleted_at,
    )


async def _record(
    session: WriteSession,
    actor: Actor,
    action: str,
    view: SavedView,
    *,
    before: ViewWish | None,
    after: ViewWish | None,
) -> None:
    """Record what others see of it; what somebody keeps for themselves is their own affair."""
    shared: Sequence[ViewWish] = [wish for wish in (before, after) if wish is not None and wish.shared_with is not None]
    if not shared:
        return
    await record(
        session,
        actor,
        action=action,
        subject=f"view:{view.id}",
        before=None if before is None else vars(before),
        after=None if after is None else vars(after),
        name=view.name,
        owner=view.owner,
        shared_with=[wish.shared_with for wish in shared],
    )
