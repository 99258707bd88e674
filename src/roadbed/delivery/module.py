"""What the delivery domain adds."""

from roadbed.approvals.contract import PLACE_DECIDED
from roadbed.catalog.contract import PLACE_MAIN, SHIPPED_ENTITIES, ShippedEntities
from roadbed.core.access import PERMISSIONS
from roadbed.core.blobs import BLOB_USERS, BlobUser
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import PANELS, TEMPLATES, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.delivery import api, web
from roadbed.delivery.access import PIPELINE_READ, PIPELINE_RUN, PIPELINE_RUN_UNISOLATED
from roadbed.delivery.repository import list_blobs
from roadbed.delivery.service.starting import follow_push
from roadbed.delivery.workflows.checkout import CHECKOUT_STEP
from roadbed.delivery.workflows.deploying import DEPLOY_STEP
from roadbed.delivery.workflows.parts import finish, list_inventory, open_runner, purge_workspaces
from roadbed.delivery.workflows.runner import Runner
from roadbed.delivery.workflows.stages import STAGE_STEP
from roadbed.runs.contract import PLACE_FACTS, STEPS, RunFinished
from roadbed.scm.contract import Pushed

MODULE = Module(
    "delivery",
    (
        PERMISSIONS.add(PIPELINE_READ, PIPELINE_RUN, PIPELINE_RUN_UNISOLATED),
        SHIPPED_ENTITIES.add(ShippedEntities("pipelines/standard.yaml", is_built_in=True)),
        PROVIDERS.add(Provider("delivery: runner", open_runner, needs_host=True, gives=(Runner,))),
        STEPS.add(CHECKOUT_STEP, STAGE_STEP, DEPLOY_STEP),
        CONSUMERS.add(
            Consumer("delivery.follow_push", Pushed, follow_push, needs_host=True),
            Consumer("delivery.finish", RunFinished, finish, needs_host=True),
        ),
        SCHEDULES.add(Schedule("delivery.purge_workspaces", "25 * * * *", purge_workspaces, needs_host=True)),
        BLOB_USERS.add(BlobUser("delivery: reports", list_blobs)),
        INVENTORY.add(InventorySource("delivery", list_inventory)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("delivery", "roadbed.delivery")),
        PANELS.add(
            Panel(PLACE_FACTS, 10, "delivery/_run_facts.html", web.load_run_facts),
            Panel(PLACE_MAIN, 30, "delivery/_entity_runs.html", web.load_entity_runs),
            Panel(PLACE_DECIDED, 20, "delivery/_decided.html", web.load_decided),
        ),
    ),
)
