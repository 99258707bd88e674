"""What the secrets domain adds."""

from roadbed.core.access import PERMISSIONS
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.secrets import api, web
from roadbed.secrets.access import SECRET_READ, SECRET_WRITE
from roadbed.secrets.service.inventory import list_inventory
from roadbed.secrets.service.vault import open_vault

MODULE = Module(
    "secrets",
    (
        PERMISSIONS.add(SECRET_READ, SECRET_WRITE),
        PROVIDERS.add(Provider("secrets", open_vault)),
        INVENTORY.add(InventorySource("secrets", list_inventory)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("secrets", "roadbed.secrets")),
        NAVIGATION.add(NavItem("Secrets", "/secrets", "lock", order=80, permission=SECRET_READ, is_platform=True)),
    ),
)
