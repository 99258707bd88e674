"""What environments add to the application."""

from roadbed.approvals.contract import PLACE_DECIDED
from roadbed.catalog.contract import PLACE_STRIP, SHIPPED_ENTITIES, ShippedEntities
from roadbed.core.access import PERMISSIONS
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.loopback import Loopback
from roadbed.core.routes import API, PAGES
from roadbed.environments import api
from roadbed.environments.access import ENVIRONMENT_DEPLOY, ENVIRONMENT_READ
from roadbed.environments.service.inventory import list_inventory
from roadbed.environments.service.parts import open_runtime, open_watch
from roadbed.environments.service.routes import Routes
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.environments.service.using import find_resource_users
from roadbed.environments.web import decided, environment, logs, overview
from roadbed.environments.workflows.ending import finish
from roadbed.environments.workflows.steering import STEERING_STEPS
from roadbed.environments.workflows.steps import STEP_KINDS
from roadbed.provisioning.contract import RESOURCE_USERS
from roadbed.runs.contract import STEPS, RunFinished

MODULE = Module(
    "environments",
    (
        PERMISSIONS.add(ENVIRONMENT_READ, ENVIRONMENT_DEPLOY),
        SHIPPED_ENTITIES.add(ShippedEntities("environment-types.yaml")),
        PROVIDERS.add(
            Provider("environments: runtime", open_runtime, needs_host=True, gives=(Loopback, Routes, ProcessRuntime)),
            Provider("environments: health watch", open_watch, is_after_launch=True, needs_host=True),
        ),
        STEPS.add(*STEP_KINDS, *STEERING_STEPS),
        RESOURCE_USERS.add(find_resource_users),
        CONSUMERS.add(Consumer("environments.finish", RunFinished, finish, needs_host=True)),
        API.add(api.router),
        PAGES.add(overview.router, environment.router, logs.router),
        TEMPLATES.add(module_templates("environments", "roadbed.environments")),
        PANELS.add(
            Panel(PLACE_STRIP, 10, "environments/_strip.html", overview.load_strip),
            Panel(PLACE_DECIDED, 10, "environments/_decided.html", decided.load_decided),
        ),
        NAVIGATION.add(NavItem("Environments", "/environments", "stack-2", order=40, permission=ENVIRONMENT_READ)),
        INVENTORY.add(InventorySource("environments", list_inventory)),
    ),
)
