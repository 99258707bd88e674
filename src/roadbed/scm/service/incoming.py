"""Being told by other git hosts that somebody pushed.

A hook stands for one repository elsewhere. Whoever knows its secret can say that a branch of it moved, and nothing
else: what is there now is read from the repository itself by those who follow `scm.push_received`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from secrets import token_urlsafe
from uuid import UUID

import orjson

from roadbed.audit.contract import record
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.events import publish
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.scm.errors import IncomingHookNotFound, InvalidDelivery, InvalidIncomingHook, SignatureRefused
from roadbed.scm.models import IncomingHookRow
from roadbed.scm.repository import incoming as table
from roadbed.scm.rules.addresses import read_address
from roadbed.scm.rules.incoming import BranchMove, find_delivery_id, find_move, is_authentic, is_push
from roadbed.scm.types import PushReceived
from roadbed.secrets.contract import SCHEME, delete_secret, put_secret, resolve

REMEMBERED = timedelta(days=30)
REFUSALS_APART = timedelta(minutes=10)


class Receipt(StrEnum):
    """What became of a delivery: it was taken, it had been taken before, or it tells nothing that anybody follows."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    IGNORED = "ignored"


@dataclass(frozen=True)
class NewIncomingHook:
    """A hook just made: the address that its host is to call, and its secret, which is shown this once."""

    row: IncomingHookRow
    address: str
    secret: str = field(repr=False)


async def list_incoming_hooks(session: ReadSession) -> Sequence[IncomingHookRow]:
    return await table.list_all(session)


async def add_incoming_hook(session: WriteSession, actor: Actor, url: str) -> NewIncomingHook:
    """Let the host of the repository at `url` tell of pushes to it.

    Raises:
        InvalidIncomingHook: that is not the address of a repository.
    """
    if read_address(url) is None:
        raise InvalidIncomingHook(
            f"{url[:200]!r} is not the address of a git repository elsewhere.",
            hint="Give what one clones: https://git.example.com/shop/orders.git",
        )
    row = IncomingHookRow(id=new_id(), url=url, secret_ref="", created_by=actor.label, created_at=now())
    path, secret = f"scm/incoming/{row.id}", token_urlsafe(32)
    await put_secret(session, actor, path=path, value=secret)
    row.secret_ref = SCHEME + path
    session.add(row)
    await record(session, actor, action="scm.incoming_hook_added", subject=_subject(row), after={"url": url}, url=url)
    base_url = session.services.get(Settings).base_url
    return NewIncomingHook(row, f"{base_url}/webhooks/{row.id}", secret)


async def remove_incoming_hook(session: WriteSession, actor: Actor, hook_id: UUID) -> None:
    """Listen no more.

    Raises:
        IncomingHookNotFound: there is none of that id.
    """
    row = await table.find(session, hook_id, is_locked=True)
    if row is None:
        raise IncomingHookNotFound(
            f"There is no incoming webhook {hook_id}.", hint="GET /api/v1/incoming-webhooks lists those that exist."
        )
    await delete_secret(session, actor, path=row.secret_ref.removeprefix(SCHEME))
    await table.remove(session, row.id)
    await record(
        session, actor, action="scm.incoming_hook_removed", subject=_subject(row), before={"url": row.url}, url=row.url
    )


async def receive(services: Services, hook_id: UUID, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Take a delivery, once for each of its ids, in a transaction of its own.

    Raises:
        SignatureRefused: there is no such hook, or the sender does not know its secret.
        InvalidDelivery: it is not JSON.
    """
    async with services.get(Database).write() as session:
        row = await table.find(session, hook_id, is_locked=True)
        if row is not None and is_authentic(headers, body, await resolve(session, row.secret_ref)):
            return await _take(session, row, headers, body)
        if row is not None:
            await _note_refusal(session, row)
    raise SignatureRefused(
        "This delivery is not signed with the secret of an incoming webhook.",
        hint="Compare address and secret with those that Roadbed gave; make a new webhook if the secret is lost.",
    )


async def _take(session: WriteSession, row: IncomingHookRow, headers: Mapping[str, str], body: bytes) -> Receipt:
    move = find_move(_read(body)) if is_push(headers) else None
    at = now()
    row.received_at = at
    if move is None:
        return Receipt.IGNORED
    if not await table.add_delivery(session, row.id, find_delivery_id(headers, body), at=at):
        return Receipt.KNOWN
    await table.forget_deliveries(session, row.id, before=at - REMEMBERED)
    await _announce(session, row, move)
    return Receipt.ACCEPTED


async def _announce(session: WriteSession, row: IncomingHookRow, move: BranchMove) -> None:
    publish(
        session,
        PushReceived(hook_id=str(row.id), url=row.url, branch=move.branch, is_default_branch=move.is_default_branch),
    )
    await record(
        session,
        system_actor("incoming-hook"),
        action="scm.push_received",
        subject=_subject(row),
        url=row.url,
        branch=move.branch,
    )


async def _note_refusal(session: WriteSession, row: IncomingHookRow) -> None:
    """Leave a trace of a wrong signature; a flood of them leaves one in ten minutes."""
    at = now()
    if row.refused_at is not None and at - row.refused_at < REFUSALS_APART:
        return
    row.refused_at = at
    await record(
        session, system_actor("incoming-hook"), action="scm.incoming_push_refused", subject=_subject(row), url=row.url
    )


def _read(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidDelivery(
            f"The delivery is not JSON: {error}.", hint="Set the webhook's content type to application/json."
        ) from error


def _subject(row: IncomingHookRow) -> str:
    return f"incoming-webhook:{row.id}"
