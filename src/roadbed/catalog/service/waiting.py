"""Waiting for an entity to come into the catalog."""

from datetime import timedelta
from typing import Any

from roadbed.catalog.repository import entities as rows
from roadbed.catalog.types import EntitiesChanged
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.events import Envelope
from roadbed.kit.clock import now
from roadbed.kit.refs import EntityRef
from roadbed.runs.contract import Wait, list_waited_keys, resume_waits

_KIND = "catalog.entity"


def wait_for_entity(ref: EntityRef, *, seconds: int) -> Wait:
    """Return what a step answers to wait until the catalog holds an entity, at most for so long.

    It is then executed again, and looks itself: `resumed` is `{}`, or `{"expired": true}` when the time was over.
    """

    async def find(session: ReadSession) -> dict[str, Any] | None:
        return {} if await rows.find_entity(session, str(ref)) is not None else None

    until = now() + timedelta(seconds=seconds)
    return Wait(_KIND, str(ref), f"Waits for {ref} in the catalog", until=until, find=find)


async def resume_entity_waits(session: WriteSession, envelope: Envelope[EntitiesChanged]) -> None:
    """Go on with the steps that wait for one of the changed entities."""
    waited = await list_waited_keys(session, kind=_KIND)
    for ref in sorted(waited.intersection(ref for ref, _, _ in envelope.event.changes)):
        await resume_waits(session, kind=_KIND, key=ref, result={})
