"""What the golden path domain adds."""

from roadbed.core.access import PERMISSIONS
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API
from roadbed.goldenpaths import api
from roadbed.goldenpaths.access import PATH_READ, RUN_START
from roadbed.goldenpaths.service.products import forget_deleted
from roadbed.goldenpaths.types import ACTIONS
from roadbed.goldenpaths.workflows.fetching import FETCH_PLAIN, FETCH_TEMPLATE
from roadbed.goldenpaths.workflows.logging import DEBUG_LOG
from roadbed.goldenpaths.workflows.publishing import PUBLISH_GITHUB, PUBLISH_REPOSITORY
from roadbed.goldenpaths.workflows.registering import CATALOG_REGISTER
from roadbed.goldenpaths.workflows.shipping import open_paths
from roadbed.goldenpaths.workflows.steps import ACTION_KIND, OUTPUT_KIND
from roadbed.goldenpaths.workflows.tidying import remove_workspace
from roadbed.runs.contract import STEPS, RunFinished
from roadbed.scm.contract import RepositoryDeleted

MODULE = Module(
    "goldenpaths",
    (
        PERMISSIONS.add(PATH_READ, RUN_START),
        ACTIONS.add(FETCH_TEMPLATE, FETCH_PLAIN, PUBLISH_REPOSITORY, PUBLISH_GITHUB, CATALOG_REGISTER, DEBUG_LOG),
        STEPS.add(ACTION_KIND, OUTPUT_KIND),
        PROVIDERS.add(Provider("goldenpaths: shipped paths", open_paths, is_after_launch=True)),
        CONSUMERS.add(
            Consumer("goldenpaths.remove_workspace", RunFinished, remove_workspace),
            Consumer("goldenpaths.forget_deleted", RepositoryDeleted, forget_deleted),
        ),
        API.add(api.router),
    ),
)
