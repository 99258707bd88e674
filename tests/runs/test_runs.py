"""Runs on a live server: they move, fail, wait, are cancelled and undone, and keep their logs."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from roadbed.core.actor import system_actor
from roadbed.kit.ids import new_id
from roadbed.runs import repository
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, cancel_run, resume_waits, start_run
from roadbed.runs.errors import RunCancelled, RunFinishedAlready, UnknownStepKind
from roadbed.runs.models import Run, RunStep
from roadbed.runs.service import read_lines, retry_run
from roadbed.runs.service.feed import RunFeed
from roadbed.runs.service.stream import stream_events
from tests import steps as test_steps
from tests import waiting
from tests.locks import meet
from tests.support import RunningServer

ACTOR = system_actor("test")


def start(server: RunningServer, *plan: StepPlan, key: str = "", parent: UUID | None = None) -> RunSummary:
    async def work() -> RunSummary:
        async with server.database.write() as session:
            return await start_run(
                session, ACTOR, RunPlan("test", "Test run", plan, key=key, subject="test:run", parent_run_id=parent)
            )

    return server.run(work())


def look(server: RunningServer, run_id: UUID) -> tuple[Run, list[RunStep]]:
    async def work() -> tuple[Run, list[RunStep]]:
        async with server.database.read() as session:
            run = await repository.find_run(session, run_id)
            assert run is not None
            return run, await repository.list_steps(session, run_id)

    return server.run(work())


def wait_for(
    server: RunningServer, run_id: UUID, is_it: Callable[[Run, list[RunStep]], bool]
) -> tuple[Run, list[RunStep]]:
    seen: tuple[Run, list[RunStep]] = waiting.wait_for(lambda: look(server, run_id), lambda seen: is_it(*seen))
    return seen


def finish(server: RunningServer, run_id: UUID) -> tuple[Run, list[RunStep]]:
    return wait_for(server, run_id, lambda run, _: run.finished_at is not None)


def lines_of(server: RunningServer, step: RunStep, *, first_line: int = 1, limit: int = 1000) -> list[str]:
    async def work() -> list[str]:
        async with server.database.read() as session:
            return [line.text for line in await read_lines(session, step.id, first_line=first_line, limit=limit)]

    return server.run(work())


def echo(key: str, say: str = "hello") -> StepPlan:
    return StepPlan(key, key.title(), "test.echo", {"say": say})


def test_run_takes_its_steps_in_order_and_keeps_their_outputs(server: RunningServer) -> None:
    run, steps = finish(server, start(server, echo("one", "1"), echo("two", "2")).id)
    assert run.state == "succeeded"
    assert [(step.state, step.output, step.note) for step in steps] == [
        ("succeeded", {"said": "1"}, "said it"),
        ("succeeded", {"said": "2"}, "said it"),
    ]
    assert run.output == {"one": {"said": "1"}, "two": {"said": "2"}}
    assert lines_of(server, steps[1]) == ["2"]


def test_run_with_the_same_key_is_started_once(server: RunningServer) -> None:
    key = str(new_id())
    first, second = start(server, echo("one"), key=key), start(server, echo("one"), key=key)
    assert first.id == second.id
    finish(server, first.id)
    assert test_steps.executed.count(f"{first.id}:one") == 1


def test_failed_run_is_retried_from_the_failed_step(server: RunningServer) -> None:
    name = str(new_id())
    test_steps.broken.add(name)
    run_id = start(server, echo("one"), StepPlan("two", "Two", "test.fail", {"name": name}), echo("three")).id
    run, steps = finish(server, run_id)
    assert (run.state, [step.state for step in steps]) == ("failed", ["succeeded", "failed", "pending"])
    assert run.error == {"code": "runs.step_failed", "message": f"{name} is broken.", "hint": "Mend it, then retry."}
    test_steps.broken.remove(name)
    retry(server, run_id)
    run, steps = finish(server, run_id)
    assert (run.state, run.error, [step.attempt for step in steps]) == ("succeeded", None, [1, 2, 1])
    assert lines_of(server, steps[1]) == ["trying", "it is broken", "trying", "it works"]
    assert test_steps.executed.count(f"{run_id}:one") == 1


def test_step_that_takes_too_long_is_failed(server: RunningServer) -> None:
    run, _ = finish(server, start(server, StepPlan("slow", "Slow", "test.timeout")).id)
    assert run.error is not None
    assert run.error["code"] == "runs.step_timed_out"


def test_timeout_met_inside_a_step_is_not_the_steps_own(server: RunningServer) -> None:
    run, _ = finish(server, start(server, StepPlan("ask", "Ask", "test.meet_timeout")).id)
    assert run.error is not None
    assert run.error["code"] == "runs.unexpected_error"
    assert run.error["message"].endswith("TimeoutError: the name server did not answer")


def test_step_of_an_unknown_version_is_parked_until_its_code_is_there(server: RunningServer) -> None:
    async def plan(version: int, run_id: UUID | None = None) -> UUID:
        async with server.database.write() as session:
            if run_id is None:
                run_id = (await start_run(session, ACTOR, RunPlan("test", "Test run", [echo("one"), echo("two")]))).id
            else:
                await retry_run(session, ACTOR, run_id)
            two = await repository.get_step(session, (await repository.list_steps(session, run_id))[1].id)
            two.version = version
            return run_id

    run_id = server.run(plan(version=99))
    run, steps = finish(server, run_id)
    assert (run.state, [step.state for step in steps]) == ("failed", ["succeeded", "failed"])
    assert run.error == steps[1].error
    assert run.error == {
        "code": "runs.unknown_step_kind",
        "message": "The step 'Two' needs test.echo version 99, which this Roadbed does not have.",
        "hint": "It was planned by a newer version or by a plugin that is missing. Install that, then retry the run.",
    }
    assert f"{run_id}:two" not in test_steps.executed
    server.run(plan(version=1, run_id=run_id))
    run, _ = finish(server, run_id)
    assert (run.state, run.error) == ("succeeded", None)
    assert test_steps.executed.count(f"{run_id}:one") == 1


def test_unknown_step_kind_is_refused_before_anything_is_written(server: RunningServer) -> None:
    with pytest.raises(UnknownStepKind, match=r"unknown kind 'test\.nothing'"):
        start(server, StepPlan("one", "One", "test.nothing"))


def test_waiting_run_is_a_row_and_goes_on_with_the_result(server: RunningServer) -> None:
    name = str(new_id())
    run_id = start(server, StepPlan("wait", "Wait", "test.wait", {"name": name}), echo("after")).id
    _, steps = wait_for(server, run_id, lambda run, _: run.state == "waiting")
    assert steps[0].note == "Waits for the test"
    assert resume(server, name) == 1
    run, steps = finish(server, run_id)
    assert (run.state, steps[0].output) == ("succeeded", {"answer": 42})
    assert resume(server, name) == 0


def test_wait_that_is_over_its_time_resumes_as_expired(server: RunningServer) -> None:
    run_id = start(server, StepPlan("wait", "Wait", "test.wait", {"name": str(new_id()), "seconds": 0})).id
    _, steps = finish(server, run_id)
    assert steps[0].output == {"expired": True}


def resume(server: RunningServer, name: str) -> int:
    async def work() -> int:
        async with server.database.write() as session:
            return await resume_waits(session, kind="test", key=name, result={"answer": 42})

    return server.run(work())


def cancel(server: RunningServer, run_id: UUID, *, undo: bool) -> None:
    async def work() -> None:
        async with server.database.write() as session:
            await cancel_run(session, ACTOR, run_id, is_undo_wanted=undo)

    server.run(work())


def test_cancel_interrupts_a_running_step(server: RunningServer) -> None:
    run_id = start(server, echo("one"), StepPlan("hang", "Hang", "test.hang"), echo("never")).id
    wait_for(server, run_id, lambda _, steps: steps[1].line_count > 0)
    cancel(server, run_id, undo=False)
    run, steps = finish(server, run_id)
    assert (run.state, [step.state for step in steps]) == ("cancelled", ["succeeded", "cancelled", "cancelled"])
    with pytest.raises(RunFinishedAlready):
        cancel(server, run_id, undo=False)


def test_cancel_with_undo_takes_back_what_was_made_in_reverse(server: RunningServer) -> None:
    run_id = start(server, echo("one"), echo("two"), StepPlan("wait", "Wait", "test.wait", {"name": str(new_id())})).id
    wait_for(server, run_id, lambda run, _: run.state == "waiting")
    cancel(server, run_id, undo=True)
    run, steps = finish(server, run_id)
    assert (run.state, [step.state for step in steps]) == ("cancelled", ["undone", "undone", "cancelled"])
    assert [item for item in test_steps.undone if item.startswith(str(run_id))] == [f"{run_id}:two", f"{run_id}:one"]


def test_failed_run_can_be_undone(server: RunningServer) -> None:
    name = str(new_id())
    test_steps.broken.add(name)
    run_id = start(server, echo("one"), StepPlan("two", "Two", "test.fail", {"name": name})).id
    finish(server, run_id)
    cancel(server, run_id, undo=True)
    run, steps = finish(server, run_id)
    assert (run.state, steps[0].state) == ("cancelled", "undone")


def undone_of(*run_ids: UUID) -> list[str]:
    """Return what was undone of these runs, in order, as `number of the run:key`."""
    known = {str(run_id): number for number, run_id in enumerate(run_ids)}
    found = (item.split(":") for item in test_steps.undone)
    return [f"{known[run_id]}:{key}" for run_id, key in found if run_id in known]


def retry(server: RunningServer, run_id: UUID) -> None:
    async def work() -> None:
        async with server.database.write() as session:
            await retry_run(session, ACTOR, run_id)

    server.run(work())


def test_children_are_undone_before_the_step_that_started_them(server: RunningServer) -> None:
    plan = (echo("one"), StepPlan("wait", "Wait", "test.wait", {"name": str(new_id())}))
    parent = start(server, *plan).id
    wait_for(server, parent, lambda run, _: run.state == "waiting")
    first, second = (start(server, echo("made"), parent=parent).id for _ in range(2))
    nothing = start(server, StepPlan("lines", "Lines", "test.lines", {"count": 1}), parent=parent).id
    for child in (first, second, nothing):
        finish(server, child)
    cancel(server, parent, undo=True)
    run, steps = finish(server, parent)
    assert (run.state, [step.state for step in steps]) == ("cancelled", ["undone", "undone"])
    assert undone_of(parent, first, second) == ["2:made", "1:made", "0:one"]
    assert [look(server, child)[0].state for child in (first, second, nothing)] == [
        "cancelled",
        "cancelled",
        "succeeded",
    ]


def test_undoing_says_what_is_gone_and_what_stays(server: RunningServer) -> None:
    stays = StepPlan("two", "The second thing", "test.echo", {"stays": "somebody uses it"})
    run_id = start(server, echo("one"), stays).id
    finish(server, run_id)
    cancel(server, run_id, undo=True)
    run, steps = finish(server, run_id)
    assert [step.undone for step in steps] == [
        {"taken": ["One"], "kept": []},
        {"taken": [], "kept": ["The second thing, because somebody uses it"]},
    ]
    assert run.output == {}
    with pytest.raises(RunFinishedAlready):
        cancel(server, run_id, undo=True)


def test_undoing_that_fails_is_retried_where_it_failed(server: RunningServer) -> None:
    name = str(new_id())
    parent = start(server, echo("one"), StepPlan("wait", "Wait", "test.wait", {"name": str(new_id())})).id
    wait_for(server, parent, lambda run, _: run.state == "waiting")
    child = start(server, StepPlan("made", "Made", "test.sticky", {"name": name}), parent=parent).id
    finish(server, child)
    test_steps.broken.add(name)
    cancel(server, parent, undo=True)
    run, _ = finish(server, parent)
    assert (run.state, run.is_undo_wanted) == ("failed", True)
    assert run.error is not None
    assert f"{name} sticks." in run.error["message"]
    assert undone_of(parent, child) == []
    test_steps.broken.remove(name)
    retry(server, parent)
    run, steps = finish(server, parent)
    assert (run.state, run.error, [step.state for step in steps]) == ("cancelled", None, ["undone", "undone"])
    assert undone_of(parent, child) == ["1:made", "0:one"]


def test_cancelled_run_starts_nothing_more(server: RunningServer) -> None:
    parent = start(server, StepPlan("wait", "Wait", "test.wait", {"name": str(new_id())})).id
    wait_for(server, parent, lambda run, _: run.state == "waiting")
    cancel(server, parent, undo=False)
    with pytest.raises(RunCancelled, match="was cancelled"):
        start(server, echo("late"), parent=parent)


def test_asking_again_for_a_child_locks_it_before_its_parent_as_cancelling_does(server: RunningServer) -> None:
    names = [str(new_id()), str(new_id())]
    parent = start(server, *(StepPlan(name, "Wait", "test.wait", {"name": name}) for name in names)).id
    wait_for(server, parent, lambda run, _: run.state == "waiting")
    plan = RunPlan("test", "Child", [echo("one")], key=str(new_id()), parent_run_id=parent)

    async def ask() -> UUID:
        async with server.database.write() as session:
            return (await start_run(session, ACTOR, plan)).id

    child = server.run(ask())
    finish(server, child)
    resume(server, names[0])
    wait_for(server, parent, lambda _, steps: steps[1].state == "waiting")  # another step asks for it now
    server.run(
        meet(
            server.database,
            lambda session: repository.lock_run(session, child),
            ask,
            lambda session: repository.lock_run(session, parent),  # nobody has it
        )
    )
    assert server.run(ask()) == child


def test_step_whose_transaction_was_lost_is_begun_anew(server: RunningServer) -> None:
    locks = [str(new_id()), str(new_id())]
    plans = [StepPlan("lock", "Lock", "test.lock_both", {"locks": order}) for order in (locks, locks[::-1])]
    found = [finish(server, run_id) for run_id in [start(server, plan).id for plan in plans]]
    assert [run.state for run, _ in found] == ["succeeded", "succeeded"]
    assert sorted(step.attempt for _, (step,) in found) == [1, 2]


def test_wait_ends_while_its_run_is_cancelled(server: RunningServer) -> None:
    name = str(new_id())
    run_id = start(server, StepPlan("wait", "Wait", "test.wait", {"name": name})).id
    wait_for(server, run_id, lambda run, _: run.state == "waiting")
    resumed = []

    async def resume_it() -> None:
        async with server.database.write() as session:
            resumed.append(await resume_waits(session, kind="test", key=name, result={"said": "go on"}))

    server.run(
        meet(
            server.database,
            lambda session: repository.lock_run(session, run_id),
            resume_it,
            lambda session: cancel_run(session, ACTOR, run_id),
        )
    )
    assert resumed == [0]
    wait_for(server, run_id, lambda run, _: run.state == "cancelled")


def test_long_log_is_read_by_line_number(server: RunningServer) -> None:
    _, steps = finish(server, start(server, StepPlan("lines", "Lines", "test.lines", {"count": 20_000})).id)
    assert steps[0].line_count == 20_000
    assert lines_of(server, steps[0], first_line=12_345, limit=2) == [
        "\x1b[32mline\x1b[0m 12345",
        "\x1b[32mline\x1b[0m 12346",
    ]


def test_masked_value_never_reaches_the_log(server: RunningServer) -> None:
    plan = StepPlan("leak", "Leak", "test.leak", {"value": "correct-horse-battery"})
    _, steps = finish(server, start(server, plan).id)
    assert lines_of(server, steps[0]) == ["the password is ***, is it not"]


def test_stream_sends_every_line_once_and_then_ends(server: RunningServer) -> None:
    run_id = start(server, StepPlan("lines", "Lines", "test.lines", {"count": 500}), echo("last")).id

    async def collect(last_event_id: str | None) -> list[tuple[str, str, Any]]:
        events = []
        feed = server.services.get(RunFeed)
        async for message in stream_events(server.database, feed, run_id, position=last_event_id):
            fields = dict(line.split(": ", 1) for line in message.decode().strip().split("\n"))
            if "event" in fields:
                events.append((fields["event"], fields["id"], json.loads(fields["data"])))
        return events

    events = server.run(collect(None))
    numbers = [data["number"] for name, _, data in events if name == "line"]
    assert numbers == [*range(1, 501), 1]
    assert events[-1][0] == "end"
    assert events[-1][2]["state"] == "succeeded"
    middle = next(event_id for name, event_id, data in events if name == "line" and data["number"] == 400)
    assert [data["number"] for name, _, data in server.run(collect(middle)) if name == "line"] == [*range(401, 501), 1]
