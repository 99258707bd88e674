"""What the scm domain adds."""

from roadbed.core.access import PERMISSIONS
from roadbed.core.backup import BACKUP, BackupFolder
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.core.search import SEARCH, SearchSource
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.scm import access
from roadbed.scm.api import changes, incoming, repositories, webhooks
from roadbed.scm.service.inventory import list_inventory
from roadbed.scm.service.maintenance import collect_garbage, open_host
from roadbed.scm.service.repositories import remove_git_data
from roadbed.scm.service.search import find_repositories
from roadbed.scm.service.webhooks import deliver, open_outbound, plan_deliveries
from roadbed.scm.types import ChangeRequestChanged, Pushed, RepositoryDeleted, WebhookDue
from roadbed.scm.web import changes as change_pages
from roadbed.scm.web import commits, files, settings, transport
from roadbed.scm.web import incoming as incoming_pages
from roadbed.scm.web import repositories as repository_pages

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
        PROVIDERS.add(Provider("scm: outbound", open_outbound), Provider("scm: git host", open_host)),
        CONSUMERS.add(
            Consumer("scm.remove_git_data", RepositoryDeleted, remove_git_data, needs_host=True),
            Consumer("scm.webhooks_of_pushes", Pushed, plan_deliveries),
            Consumer("scm.webhooks_of_change_requests", ChangeRequestChanged, plan_deliveries),
            Consumer("scm.deliver_webhook", WebhookDue, deliver),
        ),
        INVENTORY.add(InventorySource("scm", list_inventory)),
        BACKUP.add(BackupFolder("repositories")),
        SEARCH.add(SearchSource("Repositories", 30, access.REPOSITORY_READ, find_repositories)),
        SCHEDULES.add(Schedule("scm.collect_garbage", "40 2 * * *", collect_garbage, needs_host=True)),
        API.add(repositories.router, changes.router, webhooks.router, incoming.router),
        PAGES.add(
            transport.router,
            incoming_pages.router,
            repository_pages.router,
            change_pages.router,
            settings.router,
            commits.router,
            files.router,
        ),
        TEMPLATES.add(module_templates("scm", "roadbed.scm")),
        NAVIGATION.add(
            NavItem("Repositories", "/repositories", "git-branch", order=35, permission=access.REPOSITORY_READ)
        ),
    ),
)
