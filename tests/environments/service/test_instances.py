"""Instances on a running server: started, found ready, switched, retired; real processes throughout."""

from pathlib import Path
from uuid import UUID

from roadbed.core.services import Services
from roadbed.environments.service.instances import (
    read_log,
    retire_instance,
)
from roadbed.environments.service.routes import Routes
from tests.environments.support import Placed, add_deployed, add_workload, answer_with, store_program
from tests.support import RunningServer


async def deploy(services: Services, placed: Placed, folder: Path, *, version: str) -> UUID:
    digest = await store_program(services, folder, version=version)
    instance_id = await add_deployed(services, placed, artifact=digest, version=version)
    await answer_with(services, placed, instance_id)
    return instance_id


def test_workload_is_started_switched_and_retired(server: RunningServer, tmp_path: Path) -> None:
    services = server.services

    async def work() -> None:
        placed = await add_workload(services)
        first = await deploy(services, placed, tmp_path, version="one")
        route = services.get(Routes).find(placed.host)
        assert route is not None
        assert route.instance_id == first
        second = await deploy(services, placed, tmp_path, version="two")
        switched = services.get(Routes).find(placed.host)
        assert switched is not None
        assert switched.port not in (None, route.port)
        await retire_instance(services, first)
        assert route.port is not None
        assert read_log(services, first).lines[-1] == "[roadbed] stopped"
        assert any("serving two" in line for line in read_log(services, second).lines)
        await retire_instance(services, second)

    server.run(work())
