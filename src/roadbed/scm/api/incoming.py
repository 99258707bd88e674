"""REST: incoming webhooks."""

from uuid import UUID

from fastapi import APIRouter

from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.scm.access import RepositoryManager
from roadbed.scm.schemas import IncomingHookIn, IncomingHookOut, IncomingHooksOut, NewIncomingHookOut
from roadbed.scm.service import incoming

router = APIRouter(prefix="/incoming-webhooks", tags=["webhooks"])


@router.get("")
async def list_incoming_webhooks(session: Reading, _: RepositoryManager) -> IncomingHooksOut:
    """List the repositories elsewhere whose hosts tell of pushes."""
    rows = await incoming.list_incoming_hooks(session)
    return IncomingHooksOut(items=[IncomingHookOut.model_validate(row) for row in rows])


@router.post("", status_code=201)
async def add_incoming_webhook(
    session: Writing, actor: RepositoryManager, body: IncomingHookIn, once: Once
) -> NewIncomingHookOut:
    """Let the host of a repository tell of pushes to it. The secret is given this once."""
    if known := await once.find(NewIncomingHookOut):
        return known
    made = await incoming.add_incoming_hook(session, actor, body.url)
    shown = IncomingHookOut.model_validate(made.row).model_dump()
    answer = NewIncomingHookOut(**shown, address=made.address, secret=made.secret)
    return await once.keep(answer, shown_once="secret")


@router.delete("/{hook_id}", status_code=204)
async def remove_incoming_webhook(session: Writing, actor: RepositoryManager, hook_id: UUID) -> None:
    """Listen no more."""
    await incoming.remove_incoming_hook(session, actor, hook_id)
