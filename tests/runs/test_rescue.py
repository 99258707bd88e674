"""A run whose segment ended with an error of the engine is moved on; one whose segment is begun twice moves once."""

from sqlalchemy import text

from roadbed.core.workflows import Workflows
from roadbed.kit.ids import new_id
from roadbed.runs.contract import StepPlan
from roadbed.runs.service.control import SEGMENT_WORKFLOW, rescue_runs
from tests import steps as test_steps
from tests import waiting
from tests.runs.test_runs import echo, finish, look, start, wait_for
from tests.support import RunningServer


def test_run_of_a_broken_segment_is_moved_on_by_a_new_one(server: RunningServer) -> None:
    run_id = start(server, echo("one"), echo("two")).id
    finish(server, run_id)

    async def break_it() -> None:
        async with server.database.write() as session:
            workflow = f"run-{run_id}-1"
            await session.execute(
                text("UPDATE dbos.workflow_status SET status = 'ERROR' WHERE workflow_uuid = :id"), {"id": workflow}
            )
            await session.execute(
                text("UPDATE runs SET state = 'running', finished_at = NULL WHERE id = :id"), {"id": run_id}
            )
            await session.execute(
                text("UPDATE run_steps SET state = 'running', finished_at = NULL WHERE run_id = :id AND key = 'two'"),
                {"id": run_id},
            )

    async def rescue() -> int:
        async with server.database.write() as session:
            return await rescue_runs(session)

    server.run(break_it())
    assert server.run(rescue()) <= 1  # the server's own watch may have been faster
    run, steps = wait_for(server, run_id, lambda run, _: run.state == "succeeded")
    assert run.segment == 2
    assert [(step.state, step.attempt) for step in steps] == [("succeeded", 1), ("succeeded", 2)]
    assert server.run(rescue()) == 0
    assert look(server, run_id)[0].segment == 2


def workflow_reaches(server: RunningServer, workflow_id: str, state: str) -> None:
    async def look_at_it() -> str | None:
        async with server.database.read() as session:
            found: str | None = await session.scalar(
                text("SELECT status FROM dbos.workflow_status WHERE workflow_uuid = :id"), {"id": workflow_id}
            )
            return found

    waiting.wait_for(lambda: server.run(look_at_it()), lambda found: found == state)


def test_segment_that_is_begun_twice_executes_each_step_once(server: RunningServer) -> None:
    name, again = f"held-{new_id()}", f"again-{new_id()}"
    test_steps.broken.add(name)
    run_id = start(server, StepPlan("held", "Held", "test.hold", {"name": name}), echo("after")).id
    wait_for(server, run_id, lambda _, steps: steps[0].state == "running")

    async def begin_again() -> None:
        async with server.database.write() as session:
            arguments = {"run_id": str(run_id), "segment": 1}
            await session.services.get(Workflows).enqueue(
                session, workflow=SEGMENT_WORKFLOW, workflow_id=again, arguments=arguments
            )

    server.run(begin_again())
    workflow_reaches(server, again, "PENDING")  # a worker has taken it
    test_steps.broken.remove(name)
    _, steps = finish(server, run_id)
    workflow_reaches(server, again, "SUCCESS")
    assert [(step.state, step.attempt) for step in steps] == [("succeeded", 1), ("succeeded", 1)]
    assert [one for one in test_steps.executed if one.startswith(str(run_id))] == [f"{run_id}:held", f"{run_id}:after"]
