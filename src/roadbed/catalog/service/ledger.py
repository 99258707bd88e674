"""The ledger of one transaction: collects changes of entities and writes them with positions, event and audit entry."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import touches as touch_rows
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.types import ChangeKind, EntitiesChanged
from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession
from roadbed.core.events import publish
from roadbed.kit.clock import now


@dataclass
class Ledger:
    """Changes in the order in which they are to be known. Open one before reading what they depend on."""

    session: WriteSession
    actor: Actor
    location_id: UUID | None = None
    revision: str | None = None
    run_id: UUID | None = None
    _position: int = 0
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _counts: Counter[ChangeKind] = field(default_factory=Counter)

    @classmethod
    async def open(cls, session: WriteSession, actor: Actor, **origin: Any) -> "Ledger":
        """Take the next position. Other writers wait until this transaction ends.

        Args:
            session: the transaction.
            actor: who changes.
            origin: `location_id`, `revision` and `run_id`, as far as there are any.
        """
        ledger = cls(session, actor, **origin)
        ledger._position = await change_rows.take_position(session)
        return ledger

    @property
    def is_empty(self) -> bool:
        return not self._rows

    def count(self, change: ChangeKind) -> int:
        return self._counts[change]

    def add(self, change: ChangeKind, *, entity_id: UUID, ref: str, digest: str, document: Any) -> int:
        """Note a change and return its position."""
        self._position += 1
        self._counts[change] += 1
        self._rows.append(
            {
                "position": self._position,
                "entity_id": entity_id,
                "ref": ref,
                "change": change,
                "digest": digest,
                "document": document,
                "location_id": self.location_id,
                "revision": self.revision,
                "actor": self.actor.label,
                "run_id": self.run_id,
                "at": now(),
            }
        )
        return self._position

    async def close(self, *, subject: str) -> None:
        """Write everything: one event and one audit entry for all of it. The index has it before the writer goes on."""
        if not self._rows:
            return
        await change_rows.add_changes(self.session, self._rows)
        await touch_rows.notify(self.session)
        self.session.after_commit.append(self._wait_for_index)
        changes = [[row["ref"], str(row["entity_id"]), str(row["change"])] for row in self._rows]
        publish(
            self.session,
            EntitiesChanged(
                changes=changes,
                position=self._position,
                location_id=str(self.location_id) if self.location_id else None,
            ),
        )
        counts = {change.value: self.count(change) for change in ChangeKind if self.count(change)}
        await record(
            self.session,
            self.actor,
            action="catalog.entities_changed",
            subject=subject,
            after=[[row["ref"], row["digest"]] for row in self._rows],
            revision=self.revision,
            **counts,
        )
        self._rows.clear()  # they may be many, and the ledger waits for the index with the session

    async def _wait_for_index(self) -> None:
        index = self.session.services.find(CatalogIndex)
        if index is not None:
            await index.wait_for(self._position)
