"""What the web shell adds."""

from roadbed.core.extension import Module
from roadbed.core.health import SYSTEM_READ
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.routes import API, PAGES
from roadbed.core.search import SEARCH
from roadbed.web import home, inventory, search, system

MODULE = Module(
    "web",
    (
        TEMPLATES.add(module_templates("web", "roadbed.web")),
        PAGES.add(home.router, search.router, system.router),
        API.add(search.api, system.api, inventory.router),
        SEARCH.add(search.PLACES),
        NAVIGATION.add(
            NavItem("Home", "/", "home", order=0),
            NavItem("System", "/platform/system", "settings", order=95, permission=SYSTEM_READ, is_platform=True),
        ),
    ),
)
