"""What the artifacts domain adds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from roadbed.artifacts import api, web
from roadbed.artifacts.access import ARTIFACT_READ
from roadbed.artifacts.service.inventory import list_inventory
from roadbed.core.access import PERMISSIONS
from roadbed.core.backup import BACKUP, BackupFolder
from roadbed.core.blobs import BlobStore
from roadbed.core.extension import Module
from roadbed.core.home import Home
from roadbed.core.html import TEMPLATES, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.core.services import Services
from roadbed.core.settings import Settings

BLOBS = "blobs"


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    blobs = BlobStore(services.get(Home).folder(BLOBS), max_bytes=services.get(Settings).artifacts.max_bytes)
    blobs.sweep()
    services.put(BlobStore, blobs)
    yield


MODULE = Module(
    "artifacts",
    (
        PERMISSIONS.add(ARTIFACT_READ),
        PROVIDERS.add(Provider("artifacts: blobs", _open)),
        INVENTORY.add(InventorySource("artifacts", list_inventory)),
        BACKUP.add(BackupFolder(BLOBS)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("artifacts", "roadbed.artifacts")),
    ),
)
