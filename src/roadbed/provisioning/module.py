"""What the provisioning domain adds."""

from roadbed.catalog.contract import PLACE_MAIN, SHIPPED_ENTITIES, ShippedEntities
from roadbed.core.access import PERMISSIONS
from roadbed.core.backup import BACKUP, BackupFolder
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.provisioning import api
from roadbed.provisioning.access import RESOURCE_DELETE, RESOURCE_READ, RESOURCE_WRITE
from roadbed.provisioning.types import DRIVERS
from roadbed.provisioning.web import asking, pages
from roadbed.provisioning.workflows.backup import FOLDER, read_databases, write_databases
from roadbed.provisioning.workflows.inventory import list_inventory
from roadbed.provisioning.workflows.local import DUMPS, LocalPostgres
from roadbed.provisioning.workflows.server import WorkloadServer, open_server
from roadbed.provisioning.workflows.start import start_again
from roadbed.provisioning.workflows.steps import STEP_KINDS
from roadbed.runs.contract import STEPS

MODULE = Module(
    "provisioning",
    (
        PERMISSIONS.add(RESOURCE_READ, RESOURCE_WRITE, RESOURCE_DELETE),
        SHIPPED_ENTITIES.add(ShippedEntities("definitions/postgres.yaml")),
        PROVIDERS.add(
            Provider("provisioning: workload PostgreSQL", open_server, needs_host=True, gives=(WorkloadServer,)),
            Provider("provisioning: workload PostgreSQL again", start_again, is_after_launch=True, needs_host=True),
        ),
        DRIVERS.add(LocalPostgres()),
        STEPS.add(*STEP_KINDS),
        INVENTORY.add(InventorySource("provisioning", list_inventory)),
        BACKUP.add(BackupFolder(DUMPS), BackupFolder(FOLDER, write=write_databases, read=read_databases)),
        API.add(api.router),
        PAGES.add(asking.router, pages.router),
        TEMPLATES.add(module_templates("provisioning", "roadbed.provisioning")),
        PANELS.add(Panel(PLACE_MAIN, 40, "provisioning/_entity.html", pages.load_entity_panel)),
        NAVIGATION.add(NavItem("Resources", "/resources", "database", order=50, permission=RESOURCE_READ)),
    ),
)
