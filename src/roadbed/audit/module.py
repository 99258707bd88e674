"""What the audit domain adds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from roadbed.audit import api, web
from roadbed.audit.access import AUDIT_READ
from roadbed.audit.repository import forbid_changes
from roadbed.core.access import PERMISSIONS
from roadbed.core.db import Database, lock_transaction
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.core.services import Services


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    async with services.get(Database).write() as session:
        await lock_transaction(session, "audit: trigger")
        await forbid_changes(session)
    yield


MODULE = Module(
    "audit",
    (
        PERMISSIONS.add(AUDIT_READ),
        PROVIDERS.add(Provider("audit", _open)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("audit", "roadbed.audit")),
        NAVIGATION.add(NavItem("Audit", "/audit", "shield", order=90, permission=AUDIT_READ, is_platform=True)),
    ),
)
