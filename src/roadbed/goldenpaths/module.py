"""What the golden path domain adds."""

from roadbed.catalog import contract as catalog
from roadbed.core.access import PERMISSIONS
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.goldenpaths import api, web
from roadbed.goldenpaths.access import PATH_READ, RUN_START
from roadbed.goldenpaths.service.products import forget_deleted
from roadbed.goldenpaths.types import ACTIONS
from roadbed.goldenpaths.web import panels
from roadbed.goldenpaths.workflows.awaiting import PIPELINE_AWAIT
from roadbed.goldenpaths.workflows.fetching import FETCH_PLAIN, FETCH_TEMPLATE
from roadbed.goldenpaths.workflows.logging import DEBUG_LOG
from roadbed.goldenpaths.workflows.publishing import PUBLISH_GITHUB, PUBLISH_REPOSITORY
from roadbed.goldenpaths.workflows.registering import CATALOG_REGISTER
from roadbed.goldenpaths.workflows.shipping import open_paths
from roadbed.goldenpaths.workflows.steps import ACTION_KIND, OUTPUT_KIND
from roadbed.goldenpaths.workflows.tidying import list_inventory, remove_workspace
from roadbed.runs import contract as runs
from roadbed.runs.contract import STEPS, RunFinished
from roadbed.scm.contract import RepositoryDeleted

MODULE = Module(
    "goldenpaths",
    (
        PERMISSIONS.add(PATH_READ, RUN_START),
        ACTIONS.add(
            FETCH_TEMPLATE, FETCH_PLAIN, PUBLISH_REPOSITORY, PUBLISH_GITHUB, CATALOG_REGISTER, PIPELINE_AWAIT, DEBUG_LOG
        ),
        STEPS.add(ACTION_KIND, OUTPUT_KIND),
        PROVIDERS.add(Provider("goldenpaths: shipped paths", open_paths, is_after_launch=True, needs_host=True)),
        CONSUMERS.add(
            Consumer("goldenpaths.remove_workspace", RunFinished, remove_workspace, needs_host=True),
            Consumer("goldenpaths.forget_deleted", RepositoryDeleted, forget_deleted),
        ),
        INVENTORY.add(InventorySource("goldenpaths", list_inventory)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("goldenpaths", "roadbed.goldenpaths")),
        PANELS.add(
            Panel(runs.PLACE_FACTS, 10, "goldenpaths/_run_facts.html", panels.load_run_facts),
            Panel(runs.PLACE_RESULT, 10, "goldenpaths/_run_result.html", panels.load_run_result),
            Panel(runs.PLACE_MAIN, 10, "goldenpaths/_run_answers.html", panels.load_run_answers),
            Panel(catalog.PLACE_FACTS, 20, "goldenpaths/_entity_facts.html", panels.load_entity_facts),
            Panel(catalog.PLACE_ASIDE, 20, "goldenpaths/_entity_about.html", panels.load_entity_facts),
            Panel(catalog.PLACE_ACTIONS, 10, "goldenpaths/_template_action.html", panels.load_template_action),
        ),
        NAVIGATION.add(NavItem("Create", "/create", "circle-plus", order=30, permission=PATH_READ)),
    ),
)
