"""A module for tests: step kinds and a consumer, small, with effects that can be counted."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from roadbed.audit.access import AUDIT_READ
from roadbed.core.db import WriteSession, lock_transaction
from roadbed.core.events import CONSUMERS, Consumer, Envelope, Event
from roadbed.core.extension import Module
from roadbed.kit.clock import now
from roadbed.runs.contract import STEPS, Done, Outcome, StepContext, StepFailed, StepKind, Undone, Wait, needing

executed: list[str] = []
undone: list[str] = []
broken: set[str] = set()
held: set[str] = set()


async def _echo(context: StepContext) -> Outcome:
    executed.append(f"{context.run_id}:{context.key}")
    context.log(str(context.inputs.get("say", "nothing to say")))
    return Done({"said": context.inputs.get("say")}, note="said it")


async def _make(context: StepContext) -> Outcome:
    """Link to what the input says: kinds with their titles."""
    for kind, title in context.inputs["links"].items():
        await context.link(kind, title=title, href=f"/made/{kind}")
    return Done()


async def _undo_echo(context: StepContext) -> Undone:
    undone.append(f"{context.run_id}:{context.key}")
    if context.inputs.get("stays"):
        return Undone(kept=(f"{context.title}, because {context.inputs['stays']}",))
    return Undone((context.title,))


async def _undo_unless_broken(context: StepContext) -> Undone:
    if context.inputs["name"] in broken:
        raise StepFailed(f"{context.inputs['name']} sticks.", hint="Loosen it, then retry.")
    return await _undo_echo(context)


async def _fail_while_broken(context: StepContext) -> Outcome:
    context.log("trying\nit is broken" if context.inputs["name"] in broken else "trying\nit works")
    if context.inputs["name"] in broken:
        raise StepFailed(f"{context.inputs['name']} is broken.", hint="Mend it, then retry.")
    return Done()


async def _hang(context: StepContext) -> Outcome:
    context.log("hanging")
    await asyncio.Event().wait()
    return Done()


async def _hold(context: StepContext) -> Outcome:
    executed.append(f"{context.run_id}:{context.key}")
    while context.inputs["name"] in broken:  # noqa: ASYNC110 - a set of names tells nobody
        await asyncio.sleep(0.01)
    return Done()


async def _lock_both(context: StepContext) -> Outcome:
    """Take two locks, the second one when somebody holds it: two of these in opposite order wait for each other."""
    first, then = context.inputs["locks"]
    async with context.database.write() as session:
        await lock_transaction(session, first)
        held.add(first)
        while then not in held:  # noqa: ASYNC110 - a set of names tells nobody
            await asyncio.sleep(0.01)
        await lock_transaction(session, then)
    return Done()


async def _meet_timeout(_: StepContext) -> Outcome:
    """Meet a time limit that is not the step's own, as a library's."""
    raise TimeoutError("the name server did not answer")


async def _wait(context: StepContext) -> Outcome:
    if context.resumed is None:
        seconds = context.inputs.get("seconds")
        until = now() + timedelta(seconds=seconds) if seconds is not None else None
        return Wait("test", context.inputs["name"], "Waits for the test", until=until)
    return Done(context.resumed)


async def _lines(context: StepContext) -> Outcome:
    for number in range(1, context.inputs["count"] + 1):
        context.log(f"\x1b[32mline\x1b[0m {number}")
    return Done()


async def _leak(context: StepContext) -> Outcome:
    context.mask(context.inputs["value"])
    context.log(f"the password is {context.inputs['value']}, is it not")
    return Done()


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Something was noted."""

    name: ClassVar[str] = "test.noted"

    of: str
    number: int

    @property
    def aggregate(self) -> str:
        return f"test:{self.of}"


heard: list[Noted] = []


async def _hear(_: WriteSession, envelope: Envelope[Noted]) -> None:
    if envelope.event.of in broken:
        raise LookupError(f"{envelope.event.of} is broken")
    heard.append(envelope.event)


STEPS_MODULE = Module(
    "test-steps",
    (
        CONSUMERS.add(Consumer("test.hear", Noted, _hear)),
        STEPS.add(
            StepKind("test.echo", _echo, undo=_undo_echo),
            StepKind("test.guarded", _echo, undo=_undo_echo, guard_undo=needing(AUDIT_READ)),
            StepKind("test.make", _make, undo=_undo_echo),
            StepKind("test.sticky", _echo, undo=_undo_unless_broken),
            StepKind("test.fail", _fail_while_broken),
            StepKind("test.hang", _hang),
            StepKind("test.timeout", _hang, timeout_seconds=0.2),
            StepKind("test.hold", _hold),
            StepKind("test.lock_both", _lock_both),
            StepKind("test.meet_timeout", _meet_timeout),
            StepKind("test.wait", _wait),
            StepKind("test.lines", _lines),
            StepKind("test.leak", _leak),
        ),
    ),
)
