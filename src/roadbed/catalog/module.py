"""What the catalog adds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from roadbed.catalog.access import (
    ENTITY_READ,
    ENTITY_WRITE,
    FOLLOW_WRITE,
    KIND_WRITE,
    LOCATION_GOVERN,
    LOCATION_READ,
    LOCATION_WRITE,
    SERVER_FILES,
    VIEW_GOVERN,
    VIEW_WRITE,
)
from roadbed.catalog.api import (
    bookmarks,
    bulk,
    definitions,
    export,
    graph,
    history,
    looking,
    proposals,
    rest,
    saved_views,
)
from roadbed.catalog.api.backstage.app import PREFIX, open_backstage
from roadbed.catalog.repository.touches import purge
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, ENTITY_KINDS
from roadbed.catalog.service.definitions import DefinitionReader
from roadbed.catalog.service.entities import find_groups, find_title
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.kinds import KindRegistry
from roadbed.catalog.service.locations import register_configured_locations
from roadbed.catalog.service.measures import measure_locations
from roadbed.catalog.service.past import PastCatalogs
from roadbed.catalog.service.rechecking import follow_kinds
from roadbed.catalog.service.sampling import Sampler
from roadbed.catalog.service.shipped import ShippedRefs, put_shipped
from roadbed.catalog.service.snapshot import Snapshot
from roadbed.catalog.service.trees import LocationTrees
from roadbed.catalog.service.waiting import resume_entity_waits
from roadbed.catalog.types import SHIPPED_ENTITIES, EntitiesChanged, ShippedEntities
from roadbed.catalog.web import router as pages
from roadbed.catalog.web.finds import SEARCH_SOURCE, find_needs, load_run_subject
from roadbed.catalog.workflows import looking as looks
from roadbed.catalog.workflows import registering
from roadbed.catalog.workflows.bulk import STEPS as BULK_STEPS
from roadbed.catalog.workflows.clones import FOLDER, INDEX_FOLDER, list_inventory
from roadbed.catalog.workflows.ingest import STEP, follow_push, follow_received_push, read_once, refresh_changed
from roadbed.catalog.workflows.trees import open_location_tree
from roadbed.core.access import PERMISSIONS
from roadbed.core.db import Database
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module, Registry
from roadbed.core.home import Home
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.needs import NEEDS
from roadbed.core.routes import API, MOUNTS, PAGES, MountedApp
from roadbed.core.search import SEARCH
from roadbed.core.services import Services
from roadbed.core.telemetry import MEASURES
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.identity.contract import UserSource
from roadbed.kit.clock import now
from roadbed.runs.contract import PLACE_FACTS, STEPS
from roadbed.scm.contract import ChangeRequestChanged, Pushed, PushReceived

_KEEP_TOUCHES = timedelta(days=1)


@asynccontextmanager
async def _register_configured(services: Services) -> AsyncIterator[None]:
    async with services.get(Database).write() as session:
        await register_configured_locations(session)
    yield


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    services.put(UserSource, UserSource(find_groups, find_title))
    kinds = KindRegistry(services, BUILT_IN_KINDS.with_kinds(services.get(Registry).get(ENTITY_KINDS)))
    services.put(KindRegistry, kinds)
    services.put(PastCatalogs, PastCatalogs())
    async with services.get(Database).write() as session:
        services.put(ShippedRefs, await put_shipped(session))
    services.put(DefinitionReader, DefinitionReader())
    services.put(Sampler, Sampler(partial(read_once, services)))
    services.put(LocationTrees, LocationTrees(partial(open_location_tree, services)))
    index = CatalogIndex(services.get(Database), kinds, Snapshot(services.get(Home).folder(FOLDER) / INDEX_FOLDER))
    await index.open()
    services.put(CatalogIndex, index)
    tasks = (
        asyncio.create_task(index.follow(), name="catalog: follow"),
        asyncio.create_task(index.keep_ready(), name="catalog: orders and words"),
        asyncio.create_task(index.keep_snapshots(), name="catalog: snapshots"),
    )
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _purge(services: Services) -> None:
    async with services.get(Database).write() as session:
        await purge(session, before=now() - _KEEP_TOUCHES)


MODULE = Module(
    "catalog",
    (
        SHIPPED_ENTITIES.add(ShippedEntities("group.yaml", is_built_in=True)),
        PERMISSIONS.add(
            ENTITY_READ,
            ENTITY_WRITE,
            KIND_WRITE,
            LOCATION_READ,
            LOCATION_WRITE,
            LOCATION_GOVERN,
            SERVER_FILES,
            VIEW_WRITE,
            VIEW_GOVERN,
            FOLLOW_WRITE,
        ),
        PROVIDERS.add(
            Provider("catalog", _open),
            Provider("catalog: configured locations", _register_configured, is_after_launch=True, needs_host=True),
        ),
        STEPS.add(STEP, *BULK_STEPS, looks.STEP, registering.STEP),
        CONSUMERS.add(
            Consumer("catalog.follow_push", Pushed, follow_push, needs_host=True),
            Consumer("catalog.follow_received_push", PushReceived, follow_received_push, needs_host=True),
            Consumer("catalog.follow_kinds", EntitiesChanged, follow_kinds),
            Consumer("catalog.resume_waits", EntitiesChanged, resume_entity_waits),
            Consumer("catalog.follow_change_requests", ChangeRequestChanged, registering.follow_change_requests),
        ),
        SCHEDULES.add(
            Schedule("catalog.refresh", "* * * * *", refresh_changed, needs_host=True),
            Schedule("catalog.purge", "23 * * * *", _purge),
        ),
        INVENTORY.add(InventorySource("catalog", list_inventory)),
        API.add(
            rest.router,
            definitions.router,
            history.router,
            export.router,
            graph.router,
            saved_views.router,
            bookmarks.router,
            proposals.router,
            bulk.router,
            looking.router,
        ),
        MOUNTS.add(MountedApp(PREFIX, open_backstage)),
        PAGES.add(pages),
        TEMPLATES.add(module_templates("catalog", "roadbed.catalog")),
        NEEDS.add(find_needs),
        MEASURES.add(measure_locations),
        PANELS.add(Panel(PLACE_FACTS, 10, "catalog/_run_subject.html", load_run_subject)),
        SEARCH.add(SEARCH_SOURCE),
        NAVIGATION.add(NavItem("Catalog", "/catalog", "list-search", order=10, permission=ENTITY_READ)),
    ),
)
