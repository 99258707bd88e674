"""A run whose segment ended with an error of the engine is moved on."""

from sqlalchemy import text

from roadbed.runs.service.control import rescue_runs
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
