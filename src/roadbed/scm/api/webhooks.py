"""REST: webhooks of a repository."""

from uuid import UUID

from fastapi import APIRouter

from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.scm.access import RepositoryManager
from roadbed.scm.api.repositories import Named
from roadbed.scm.repository import webhooks as table
from roadbed.scm.schemas import DeliveriesOut, DeliveryOut, WebhookIn, WebhookOut, WebhooksOut
from roadbed.scm.service import webhooks
from roadbed.scm.service.lookup import get_named

router = APIRouter(prefix="/repositories/{owner}/{name}/webhooks", tags=["webhooks"])


@router.get("")
async def list_webhooks(session: Reading, _: RepositoryManager, named: Named) -> WebhooksOut:
    """List the addresses that are told what happens."""
    rows = await table.list_of(session, (await get_named(session, named)).id)
    return WebhooksOut(items=[WebhookOut.model_validate(row) for row in rows])


@router.post("", status_code=201)
async def add_one_webhook(
    session: Writing, actor: RepositoryManager, named: Named, body: WebhookIn, once: Once
) -> WebhookOut:
    """Have an address told of events. Deliveries are signed with HMAC-SHA256 when there is a secret."""
    if known := await once.find(WebhookOut):
        return known
    repository = await get_named(session, named)
    wish = webhooks.WebhookWish(body.url, tuple(body.events), body.secret)
    return await once.keep(WebhookOut.model_validate(await webhooks.add_webhook(session, actor, repository, wish)))


@router.delete("/{webhook_id}", status_code=204)
async def remove_one_webhook(session: Writing, actor: RepositoryManager, named: Named, webhook_id: UUID) -> None:
    """Stop telling an address."""
    await webhooks.remove_webhook(session, actor, await get_named(session, named), webhook_id)


@router.get("/{webhook_id}/deliveries")
async def list_deliveries(session: Reading, _: RepositoryManager, named: Named, webhook_id: UUID) -> DeliveriesOut:
    """List the newest 50 deliveries, and how they went."""
    webhook = await webhooks.get_webhook(session, await get_named(session, named), webhook_id)
    rows = await table.list_deliveries(session, webhook.id, limit=webhooks.SHOWN_DELIVERIES)
    return DeliveriesOut(items=[DeliveryOut.model_validate(row) for row in rows])
