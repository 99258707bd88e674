"""Which port answers for which host name: a table in memory, made anew from the database when routes change."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.environments.repository import instances as rows
from roadbed.environments.rules.names import host_of


@dataclass(frozen=True)
class HostRoute:
    """What is behind a host name.

    Without an instance nothing was deployed; without a port it is stopped, or serves nothing.
    """

    workload_id: UUID
    workload: str
    environment: str
    application: str
    instance_id: UUID | None
    port: int | None

    @property
    def host(self) -> str:
        return host_of(workload=self.workload, environment=self.environment, application=self.application)

    @property
    def page(self) -> str:
        """The path of Roadbed's page on it."""
        return f"/environments/{self.application}/{self.environment}"


class Routes:
    """The table."""

    def __init__(self) -> None:
        self.looking_again = asyncio.Lock()
        self._by_host: Mapping[str, HostRoute] = {}
        self._begun = 0
        self._applied = 0

    def find(self, host: str) -> HostRoute | None:
        """Return what the table has for a host name; `find_route` is for those who have a request to answer."""
        return self._by_host.get(host)

    def list_all(self) -> list[HostRoute]:
        return list(self._by_host.values())

    def begin(self) -> int:
        """Return the number of a reading that begins now, for `replace`."""
        self._begun += 1
        return self._begun

    def replace(self, routes: list[HostRoute], reading: int) -> None:
        """Take what a reading found, unless one that began later was faster: it knows more."""
        if reading > self._applied:
            self._applied = reading
            self._by_host = {route.host: route for route in routes}


async def refresh_routes(services: Services) -> None:
    """Read the table anew. To be called after the commit of what changed it."""
    routes = services.get(Routes)
    reading = routes.begin()
    async with services.get(Database).read() as session:
        found = await rows.list_workloads(session)
    routes.replace(
        [
            HostRoute(
                placed.workload.id,
                placed.workload.name,
                placed.environment.name,
                placed.application.name,
                placed.instance.id if placed.instance else None,
                placed.instance.port if placed.instance and placed.instance.is_wanted else None,
            )
            for placed in found
        ],
        reading,
    )


async def find_route(services: Services, host: str) -> HostRoute | None:
    """Return what is behind a host name, in lower case and without port.

    Where the table has nothing to offer it is read anew, by one reader at a time: others see a commit before the table
    knows of it.

    Raises:
        DatabaseAway: the table could not be read anew.
    """
    routes = services.get(Routes)
    found = routes.find(host)
    if found is not None and found.port is not None:
        return found
    async with routes.looking_again:
        await refresh_routes(services)
    return routes.find(host)
