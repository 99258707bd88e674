"""Answers that are being given on the pages of a path: kept for their author until the run is started, or forgotten."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.goldenpaths import repository as rows
from roadbed.goldenpaths.errors import DraftGone
from roadbed.goldenpaths.models import DraftRow
from roadbed.goldenpaths.types import GoldenPath
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

KEPT_FOR = timedelta(days=14)


async def read_draft(session: ReadSession, actor: Actor, path: GoldenPath, draft_id: UUID | None) -> dict[str, Any]:
    """Return the answers so far; without a draft there are none.

    Raises:
        DraftGone: they are no longer kept, or belong to somebody else.
    """
    if draft_id is None:
        return {}
    return dict((await _get(session, actor, path, draft_id)).answers)


async def save_draft(
    session: WriteSession, actor: Actor, path: GoldenPath, draft_id: UUID | None, answers: Mapping[str, Any]
) -> UUID:
    """Keep answers and return the draft's id; a new draft makes room by forgetting old ones."""
    if draft_id is not None:
        row = await _get(session, actor, path, draft_id)
        row.answers, row.updated_at = dict(answers), now()
        return row.id
    await rows.remove_drafts_before(session, now() - KEPT_FOR)
    row = DraftRow(id=new_id(), account=actor.id, path_ref=path.ref, answers=dict(answers), updated_at=now())
    session.add(row)
    return row.id


async def _get(session: ReadSession, actor: Actor, path: GoldenPath, draft_id: UUID) -> DraftRow:
    row = await rows.find_draft(session, draft_id)
    if row is None or row.account != actor.id or row.path_ref != path.ref:
        raise DraftGone(
            f"These answers are no longer kept: answers are kept for {KEPT_FOR.days} days, for whoever gave them.",
            hint=f"Begin again at {path.href}.",
        )
    return row
