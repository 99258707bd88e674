"""Telling other systems what happens in a repository.

An event becomes one delivery for each address that wants it, and each delivery an event of its own: so addresses do not
wait for one another, and the event machinery tries again when one does not answer. What cannot be delivered within
`GIVE_UP_AFTER` is given up and stays in the list with its error.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.errors import RoadbedError, Unavailable
from roadbed.core.events import Envelope, publish
from roadbed.core.outbound import Outbound, OutboundRequest
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.jsons import canonical_json
from roadbed.scm.errors import InvalidWebhook, WebhookNotFound
from roadbed.scm.models import WebhookDeliveryRow, WebhookRow
from roadbed.scm.repository import webhooks as table
from roadbed.scm.types import ChangeRequestChanged, Pushed, Repository, WebhookDue
from roadbed.secrets.contract import SCHEME, delete_secret, put_secret, resolve

EVENTS = (Pushed.name, ChangeRequestChanged.name)
GIVE_UP_AFTER = timedelta(hours=6)
SHOWN_DELIVERIES = 50


class NotDelivered(Unavailable):
    """The address did not take the delivery; it is tried again."""

    code = "scm.webhook_not_delivered"


@asynccontextmanager
async def open_outbound(services: Services) -> AsyncIterator[None]:
    """Provide the client for outgoing requests."""
    outbound = Outbound(services.get(Settings).outbound)
    services.put(Outbound, outbound)
    try:
        yield
    finally:
        await outbound.close()


@dataclass(frozen=True)
class WebhookWish:
    """Which address is to be told of which events. `secret` signs what is sent."""

    url: str
    events: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)


async def add_webhook(session: WriteSession, actor: Actor, repository: Repository, wish: WebhookWish) -> WebhookRow:
    """Have an address told of events.

    Raises:
        InvalidWebhook: an event is not one.
        AddressRefused: the address is not a public one, and not allowed by the settings.
    """
    unknown = sorted(set(wish.events) - set(EVENTS))
    if unknown or not wish.events:
        raise InvalidWebhook(
            f"There is no event {', '.join(unknown) or 'named'}.", hint=f"Choose of {', '.join(EVENTS)}."
        )
    await session.services.get(Outbound).check(wish.url)
    row = WebhookRow(
        id=new_id(),
        repository_id=repository.id,
        url=wish.url,
        secret_ref=None,
        events=sorted(set(wish.events)),
        created_by=actor.label,
        created_at=now(),
    )
    if wish.secret is not None:
        path = f"scm/webhooks/{row.id}"
        await put_secret(session, actor, path=path, value=wish.secret)
        row.secret_ref = SCHEME + path
    session.add(row)
    await record(
        session,
        actor,
        action="scm.webhook_added",
        subject=f"repository:{repository.full_name}",
        after={"url": wish.url, "events": row.events},
        id=str(row.id),
        url=wish.url,
    )
    return row


async def remove_webhook(session: WriteSession, actor: Actor, repository: Repository, webhook_id: UUID) -> None:
    """Stop telling an address.

    Raises:
        WebhookNotFound: the repository has none of that id.
    """
    row = await get_webhook(session, repository, webhook_id)
    if row.secret_ref is not None:
        await delete_secret(session, actor, path=row.secret_ref.removeprefix(SCHEME))
    await table.remove(session, row.id)
    await record(
        session,
        actor,
        action="scm.webhook_removed",
        subject=f"repository:{repository.full_name}",
        before={"url": row.url, "events": row.events},
        id=str(row.id),
        url=row.url,
    )


async def get_webhook(session: ReadSession, repository: Repository, webhook_id: UUID) -> WebhookRow:
    row = await table.find(session, repository.id, webhook_id)
    if row is None:
        raise WebhookNotFound(
            f"{repository.full_name} has no webhook {webhook_id}.",
            hint=f"GET /api/v1/repositories/{repository.full_name}/webhooks lists those that exist.",
        )
    return row


async def plan_deliveries(session: WriteSession, envelope: Envelope[Pushed] | Envelope[ChangeRequestChanged]) -> None:
    """Consume an event: make one delivery for each address that wants it."""
    event = envelope.event
    for webhook in await table.list_of(session, UUID(event.repository_id)):
        if event.name not in webhook.events:
            continue
        row = WebhookDeliveryRow(
            id=new_id(),
            webhook_id=webhook.id,
            event=event.name,
            payload={"event": event.name, "id": str(envelope.id), "at": envelope.at.isoformat(), **asdict(event)},
            created_at=now(),
        )
        session.add(row)
        publish(session, WebhookDue(delivery_id=str(row.id)))


async def deliver(session: WriteSession, envelope: Envelope[WebhookDue]) -> None:
    """Consume `scm.webhook_due`: send one delivery.

    Raises:
        NotDelivered: it is to be tried again.
    """
    found = await table.find_delivery(session, UUID(envelope.event.delivery_id))
    if found is None or found[0].delivered_at is not None:
        return
    delivery, webhook = found
    try:
        delivery.status = await _send(session, webhook, delivery)
    except RoadbedError as error:
        if now() - envelope.at < GIVE_UP_AFTER:
            raise NotDelivered(f"{webhook.url}: {error.message}", hint=error.hint) from error
        delivery.error = error.message
    else:
        delivery.error = None
        delivery.delivered_at = now()


async def _send(session: ReadSession, webhook: WebhookRow, delivery: WebhookDeliveryRow) -> int:
    body = canonical_json(delivery.payload)
    headers = {
        "Content-Type": "application/json",
        "X-Roadbed-Event": delivery.event,
        "X-Roadbed-Delivery": str(delivery.id),
    }
    if webhook.secret_ref is not None:
        secret = await resolve(session, webhook.secret_ref)
        headers["X-Roadbed-Signature-256"] = sign(secret, body)
    answer = await session.services.get(Outbound).send(
        OutboundRequest(webhook.url, method="POST", body=body, headers=headers)
    )
    if not answer.is_success:
        raise NotDelivered(f"it answered with {answer.status}.", hint="The webhook's receiver has to answer with 2xx.")
    return answer.status


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a delivery: `sha256=` and HMAC-SHA256 of its body in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
