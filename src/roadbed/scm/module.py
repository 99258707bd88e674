"""What the scm domain adds."""

from roadbed.core.access import PERMISSIONS
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import PAGES
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.scm import access
from roadbed.scm.service.maintenance import collect_garbage, open_host
from roadbed.scm.service.repositories import remove_git_data
from roadbed.scm.types import RepositoryDeleted
from roadbed.scm.web import transport

MODULE = Module(
    "scm",
    (
        PERMISSIONS.add(
            access.REPOSITORY_READ,
            access.REPOSITORY_WRITE,
            access.REPOSITORY_CREATE,
            access.REPOSITORY_MANAGE,
            access.CHANGE_WRITE,
            access.CHANGE_APPROVE,
            access.CHANGE_MERGE,
            access.STATUS_WRITE,
        ),
        PROVIDERS.add(Provider("scm: git host", open_host)),
        CONSUMERS.add(Consumer("scm.remove_git_data", RepositoryDeleted, remove_git_data)),
        SCHEDULES.add(Schedule("scm.collect_garbage", "40 2 * * *", collect_garbage)),
        PAGES.add(transport.router),
    ),
)
