"""What the web shell adds."""

from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.routes import API, PAGES
from roadbed.core.search import SEARCH
from roadbed.web import home, search

MODULE = Module(
    "web",
    (
        TEMPLATES.add(module_templates("web", "roadbed.web")),
        PAGES.add(home.router, search.router),
        API.add(search.api),
        SEARCH.add(search.PLACES),
        NAVIGATION.add(NavItem("Home", "/", "home", order=0)),
    ),
)
