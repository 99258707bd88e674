"""What the runs domain adds."""

from roadbed.core.access import PERMISSIONS
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.needs import NEEDS
from roadbed.core.routes import API, PAGES
from roadbed.core.search import SEARCH
from roadbed.core.services import Services
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.runs import api, repository, web
from roadbed.runs.access import RUN_CONTROL, RUN_READ
from roadbed.runs.workflows.parts import open_feed, open_interpreter, purge_workflows


async def _count_open(services: Services, _: Actor) -> int:
    async with services.get(Database).read() as session:
        return await repository.count_open(session)


MODULE = Module(
    "runs",
    (
        PERMISSIONS.add(RUN_READ, RUN_CONTROL),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("runs", "roadbed.runs")),
        NEEDS.add(web.find_needs),
        SEARCH.add(web.SEARCH_SOURCE),
        NAVIGATION.add(NavItem("Runs", "/runs", "player-play", order=60, permission=RUN_READ, count=_count_open)),
        PROVIDERS.add(
            Provider("runs: interpreter", open_interpreter),
            Provider("runs: feed", open_feed, is_after_launch=True),
        ),
        SCHEDULES.add(Schedule("runs.purge_workflows", "17 3 * * *", purge_workflows)),
    ),
)
