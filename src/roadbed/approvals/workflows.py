"""The step kind that asks and waits, and what happens to approvals by itself: reminders, expiry, withdrawal."""

from datetime import timedelta
from uuid import UUID

from roadbed.approvals.rules import result_of, who_can
from roadbed.approvals.service import ask_approval, expire_overdue, find_approval, remind, withdraw_of_run
from roadbed.approvals.types import WAIT_KIND, ApprovalView, ApprovalWish
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.services import Services
from roadbed.kit.clock import now
from roadbed.runs.contract import Done, Outcome, RunFinished, StepContext, StepFailed, StepKind, Wait


def wait_for_approval(approval: ApprovalView) -> Wait:
    """Return what a step answers to wait for this decision.

    It is resumed with `{"decision": "approved"|"rejected", "by": label, "comment": text}`, or with `{"expired": true}`.
    """

    async def find(session: ReadSession) -> dict[str, object] | None:
        found = await find_approval(session, approval.id)
        return None if found is None else result_of(found)

    note = f"Waits for {who_can(approval.approvers)}"
    return Wait(WAIT_KIND, str(approval.id), note, until=approval.expires_at, find=find)


async def _ask(context: StepContext) -> Outcome:
    """Ask, wait, and go on when it was approved.

    Inputs: title, approvers; as wanted subject, detail, href, expires_in_hours, is_four_eyes.
    """
    if context.resumed is None:
        approval = await _put_question(context)
        await context.link("approval", title=approval.title, href=approval.page)
        return wait_for_approval(approval)
    title, answer = context.inputs["title"], context.resumed
    if answer.get("expired"):
        raise StepFailed(f"Nobody decided on “{title}” in time.", hint="Retry the step: it asks again.")
    words = f" by {answer['by']}" + (f": {answer['comment']}" if answer["comment"] else "")
    context.log(f"{answer['decision'].capitalize()}{words}", stream="info")
    if answer["decision"] != "approved":
        raise StepFailed(
            f"“{title}” was rejected{words}", hint="Mend what the comment says, then retry the step: it asks again."
        )
    return Done({"by": answer["by"], "comment": answer["comment"]}, note=f"Approved{words}")


async def _put_question(context: StepContext) -> ApprovalView:
    inputs = context.inputs
    hours = inputs.get("expires_in_hours")
    wish = ApprovalWish(
        key=str(context.step_id),
        title=inputs["title"],
        subject=inputs.get("subject") or context.subject or f"run:{context.run_id}",
        approvers=tuple(inputs.get("approvers", ())),
        run_id=context.run_id,
        step_id=context.step_id,
        detail=inputs.get("detail", ""),
        href=inputs.get("href"),
        expires_at=None if hours is None else now() + timedelta(hours=hours),
        is_four_eyes=inputs.get("is_four_eyes", True),
    )
    async with context.database.write() as session:
        approval = await ask_approval(session, context.actor, wish)
    context.log(f"Asked: {approval.title}. It can be decided by {who_can(approval.approvers)}.", stream="info")
    return approval


ASK = StepKind("approvals.ask", _ask)


async def withdraw(session: WriteSession, envelope: Envelope[RunFinished]) -> None:
    """Close the questions of a run that ended without their answer."""
    await withdraw_of_run(session, UUID(envelope.event.run_id))


async def tend(services: Services) -> None:
    """Remind, and let expire."""
    async with services.get(Database).write() as session:
        await remind(session)
    async with services.get(Database).write() as session:
        await expire_overdue(session)
