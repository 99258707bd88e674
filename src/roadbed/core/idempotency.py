"""Idempotency keys: a request to create that is sent again finds the first one's answer, and creates nothing.

A key belongs to the account that sent it. With it are kept a digest of what was asked and the answer; the same key with
something else asked is refused. Both are written in the transaction of what they tell of, so there is never one without
the other. A key is forgotten after a week.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.access import current_actor
from roadbed.core.actor import Actor
from roadbed.core.db import Base, WriteSession, Writing, lock_transaction
from roadbed.core.errors import Conflict
from roadbed.kit import jsons
from roadbed.kit.clock import now

KEPT = timedelta(days=7)
AnswerT = TypeVar("AnswerT", bound=BaseModel)


class KeyReused(Conflict):
    code = "request.idempotency_key_reused"


class IdempotencyRow(Base):
    __tablename__ = "idempotency_keys"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Repeatable:
    """A request that may be sent again: who sent it, under which key ("" is none), and the digest of what it asks."""

    session: WriteSession
    actor: Actor
    key: str
    digest: str

    async def find(self, kind: type[AnswerT]) -> AnswerT | None:
        """Return what the request was answered before; a request under the same key that is at work is waited for.

        Raises:
            KeyReused: the key was sent with something else.
        """
        if not self.key:
            return None
        await lock_transaction(self.session, f"idempotency:{self.actor.id}:{self.key}")
        row = await self.session.get(IdempotencyRow, (self.actor.id, self.key))
        if row is None or row.created_at < now() - KEPT:
            return None
        if row.digest != self.digest:
            raise KeyReused(
                f"The Idempotency-Key {self.key!r} was sent before, with another request.",
                hint="Send a new key with a new request; in a browser, open the form anew.",
            )
        return kind.model_validate(row.answer)

    async def keep(self, answer: AnswerT, *, shown_once: str | None = None) -> AnswerT:
        """Keep the answer, without the field that is shown once only, and return it."""
        if self.key:
            mine = IdempotencyRow.account_id == self.actor.id
            await self.session.execute(delete(IdempotencyRow).where(mine, IdempotencyRow.created_at < now() - KEPT))
            kept = answer.model_copy(update={shown_once: None}) if shown_once else answer
            self.session.add(
                IdempotencyRow(
                    account_id=self.actor.id,
                    key=self.key,
                    digest=self.digest,
                    answer=kept.model_dump(mode="json"),
                    created_at=now(),
                )
            )
        return answer


def repeatable_form(session: WriteSession, actor: Actor, *, key: str, asked: Any) -> Repeatable:
    """Return a form's request: `key` is the hidden field that was made with the form, `asked` the rest of it."""
    return Repeatable(session, actor, key, jsons.digest(asked))


async def _read_request(
    request: Request,
    session: Writing,
    actor: Annotated[Actor, Depends(current_actor)],
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            description="The same key with the same request again, within a week, finds the first one's answer.",
        ),
    ] = "",
) -> Repeatable:
    content = await request.body()
    try:
        body = jsons.parse_json(content) if content else None
    except ValueError:  # no handler takes it, and each says so itself
        body = content.hex()
    return Repeatable(session, actor, key, jsons.digest([request.method, request.url.path, body]))


# As a handler's parameter: `if known := await once.find(Out): return known`, and `return await once.keep(Out(…))`.
Once = Annotated[Repeatable, Depends(_read_request)]
