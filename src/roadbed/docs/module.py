"""What the docs domain adds."""

from roadbed.catalog.contract import PLACE_FACTS, PLACE_STRIP, PLACE_TABS, EntitiesChanged
from roadbed.core.access import PERMISSIONS
from roadbed.core.blobs import BLOB_USERS, BlobUser
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.needs import NEEDS
from roadbed.core.routes import API, PAGES
from roadbed.core.search import SEARCH
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.docs import api
from roadbed.docs.access import DOCS_BUILD, DOCS_READ
from roadbed.docs.service.sites import follow_entities, follow_push, follow_run, start_waiting
from roadbed.docs.service.storing import list_blobs
from roadbed.docs.web import router as pages
from roadbed.docs.web.panels import SEARCH_SOURCE, find_needs, load_alarm, load_facts, load_tab
from roadbed.docs.workflows.building import BUILD_STEP
from roadbed.docs.workflows.parts import list_inventory, open_builds
from roadbed.runs.contract import STEPS, RunFinished
from roadbed.scm.contract import Pushed

MODULE = Module(
    "docs",
    (
        PERMISSIONS.add(DOCS_READ, DOCS_BUILD),
        PROVIDERS.add(Provider("docs: builds", open_builds, needs_host=True)),
        STEPS.add(BUILD_STEP),
        CONSUMERS.add(
            Consumer("docs.follow_entities", EntitiesChanged, follow_entities),
            Consumer("docs.follow_push", Pushed, follow_push),
            Consumer("docs.follow_run", RunFinished, follow_run),
        ),
        SCHEDULES.add(Schedule("docs.start_waiting", "* * * * *", start_waiting)),
        BLOB_USERS.add(BlobUser("docs", list_blobs)),
        INVENTORY.add(InventorySource("docs", list_inventory)),
        API.add(api.router),
        PAGES.add(pages),
        TEMPLATES.add(module_templates("docs", "roadbed.docs")),
        NEEDS.add(find_needs),
        SEARCH.add(SEARCH_SOURCE),
        PANELS.add(
            Panel(PLACE_FACTS, 30, "docs/_facts.html", load_facts),
            Panel(PLACE_TABS, 10, "docs/_tab.html", load_tab),
            Panel(PLACE_STRIP, 5, "docs/_runbook.html", load_alarm),
        ),
        NAVIGATION.add(NavItem("Docs", "/docs", "book", order=90, permission=DOCS_READ)),
    ),
)
