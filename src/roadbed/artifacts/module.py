"""What the artifacts domain adds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from roadbed.artifacts import api, web
from roadbed.artifacts.access import ARTIFACT_READ
from roadbed.artifacts.service.collecting import collect_unused, list_used
from roadbed.artifacts.service.inventory import list_inventory
from roadbed.core.access import PERMISSIONS
from roadbed.core.backup import BACKUP, BackupFolder
from roadbed.core.blobs import BLOB_USERS, BlobStore, BlobUser
from roadbed.core.extension import Module
from roadbed.core.html import TEMPLATES, module_templates
from roadbed.core.inventory import INVENTORY, InventorySource
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.replica import Replica
from roadbed.core.routes import API, PAGES
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.core.workflows import SCHEDULES, Schedule

BLOBS = "blobs"


def blob_folder(settings: Settings) -> Path:
    """Return where stored files are; made on first use."""
    return settings.artifacts.folder or settings.home / BLOBS


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    settings = services.get(Settings)
    blobs = BlobStore(blob_folder(settings), max_bytes=settings.artifacts.max_bytes)
    if services.get(Replica).is_host:
        blobs.sweep()
    services.put(BlobStore, blobs)
    yield


MODULE = Module(
    "artifacts",
    (
        PERMISSIONS.add(ARTIFACT_READ),
        PROVIDERS.add(Provider("artifacts: blobs", _open)),
        BLOB_USERS.add(BlobUser("artifacts", list_used)),
        SCHEDULES.add(Schedule("artifacts.collect", "35 * * * *", collect_unused, needs_host=True)),
        INVENTORY.add(InventorySource("artifacts", list_inventory)),
        BACKUP.add(BackupFolder(BLOBS, place=blob_folder)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("artifacts", "roadbed.artifacts")),
    ),
)
