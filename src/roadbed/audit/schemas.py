"""The audit record as the API gives it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from roadbed.core.paging import PageQuery


class AuditQuery(PageQuery):
    """Which entries; `action` may end in `*`."""

    subject: str | None = None
    actor: str | None = None
    action: str | None = None


class AuditEntryOut(BaseModel):
    """One change of state."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    actor: str
    action: str
    subject: str
    before_digest: str | None
    after_digest: str | None
    detail: dict[str, Any]
    address: str | None
    trace_id: str | None


class AuditPageOut(BaseModel):
    items: list[AuditEntryOut]
    next_cursor: str | None
