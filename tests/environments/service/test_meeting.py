"""Transactions that change the same things meet: one waits for the other, and both are done."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from roadbed.catalog.contract import Health
from roadbed.core.db import WriteSession
from roadbed.environments.errors import DeploymentSuperseded
from roadbed.environments.repository import deployments as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.service import progress
from roadbed.environments.service.health import set_health
from roadbed.environments.service.instances import retire_instance
from tests.environments.conftest import Stage
from tests.locks import Step, meet


def do_both(stage: Stage, first: Step, other: Callable[[], Awaitable[object]], then: Step) -> None:
    stage.server.run(meet(stage.server.database, first, other, then))


@pytest.fixture(scope="module")
def component(stage: Stage) -> str:
    """Give a component that runs in development."""
    component = stage.component()
    stage.deploy(component, stage.artifact())
    return component


def find_workload(stage: Stage, component: str) -> workload_rows.WorkloadRow:
    async def work() -> workload_rows.WorkloadRow:
        async with stage.server.database.read() as session:
            (found,) = await workload_rows.list_workloads(session, components=[component])
        return found

    return stage.server.run(work())


def test_health_is_looked_at_while_requests_are_switched(stage: Stage, component: str) -> None:
    workload_id = find_workload(stage, component).workload.id

    async def look() -> None:
        async with stage.server.database.write() as session:
            await set_health(session, workload_id, Health.FAILING, "It was looked at")

    do_both(
        stage,
        lambda session: workload_rows.lock_workload(session, workload_id),
        look,
        lambda session: set_health(session, workload_id, Health.DEPLOYING, "It is switched"),
    )


def test_instance_is_retired_while_another_one_takes_its_place(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact())
    found = find_workload(stage, component)
    assert found.instance is not None
    instance_id = found.instance.id

    async def stop_instances(session: WriteSession) -> None:
        deployment = found.deployment
        assert deployment is not None
        for instance in await workload_rows.list_instances_of_deployment(session, deployment.id):
            instance.is_wanted = False
        await session.flush()

    do_both(
        stage,
        lambda session: workload_rows.lock_workload(session, found.workload.id),
        lambda: retire_instance(stage.server.services, instance_id),
        stop_instances,
    )


def test_two_deployments_come_to_their_turn_at_once(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    older, newer = [stage.start(component, stage.artifact(version)).run_id for version in ("2.0.0", "3.0.0")]
    for run_id in (older, newer):
        stage.ends(run_id)  # what is looked at below are their locks

    async def begin_older() -> None:
        with pytest.raises(DeploymentSuperseded):
            async with stage.server.database.write() as session:
                await progress.begin(session, older)

    async def take_turn(session: WriteSession) -> None:
        found = await rows.find_deployment_of_run(session, newer)
        assert found is not None
        await progress.lock_turns(session, found[0])

    do_both(stage, take_turn, begin_older, lambda session: rows.lock_deployment_of_run(session, older))


def test_environment_is_read_anew_once_nobody_else_changes_it(stage: Stage, component: str) -> None:
    environment_id = find_workload(stage, component).environment.id
    seen: list[str | None] = []

    async def change() -> None:
        async with stage.server.database.write() as session:
            known = await rows.find_deployment_of_run(session, run_id)
            assert known is not None
            environment = await rows.lock_environment(session, environment_id)  # waits for the change below
            seen.append(environment.set_id)

    async def take_away(session: WriteSession) -> None:
        environment = await rows.lock_environment(session, environment_id)
        former.append(environment.set_id)
        environment.set_id = None

    former: list[str | None] = []
    run_id = find_run(stage, component)
    do_both(stage, take_away, change, lambda session: session.flush())
    assert seen == [None]
    assert former != [None]


def find_run(stage: Stage, component: str) -> UUID:
    deployment = find_workload(stage, component).deployment
    assert deployment is not None
    return deployment.run_id
