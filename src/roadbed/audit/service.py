"""Writing the audit record."""

from typing import Any

import structlog

from roadbed.audit.models import AuditEntry
from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession
from roadbed.core.redaction import DataMask
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.jsons import digest


async def record(
    session: WriteSession,
    actor: Actor,
    *,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
    **detail: Any,
) -> None:
    """Record a change of state in the transaction that makes it.

    Args:
        session: the transaction of the change.
        actor: who did it, and from which address.
        action: `domain.noun_past`, as `secrets.secret_changed`.
        subject: an entity ref, or `noun:id`.
        before: the state before, kept as a digest; None when there was none.
        after: the state after, kept as a digest; None when it is gone.
        detail: small JSON values that explain the change to a reader; secrets in them are masked.
    """
    mask = session.services.find(DataMask)
    session.add(
        AuditEntry(
            id=new_id(),
            at=now(),
            actor=actor.label,
            actor_id=actor.id,
            action=action,
            subject=subject,
            before_digest=None if before is None else digest(before),
            after_digest=None if after is None else digest(after),
            detail=mask.mask(detail) if mask else detail,
            address=actor.address,
            trace_id=structlog.contextvars.get_contextvars().get("trace_id"),
        )
    )
