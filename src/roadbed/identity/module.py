"""What the identity domain adds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from roadbed.core.access import PERMISSIONS, AuthenticatorService, DeciderService
from roadbed.core.db import Database
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import API, PAGES
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.identity import access, api
from roadbed.identity.rules import RoleDecider
from roadbed.identity.service.accounts import FIRST_ADMIN, ensure_admin
from roadbed.identity.service.authentication import AccountAuthenticator
from roadbed.identity.service.known import KnownTokens
from roadbed.identity.service.roles import seed_roles
from roadbed.identity.service.sign_in import purge
from roadbed.identity.types import FirstStart
from roadbed.identity.web import account, accounts, roles, sign_in, tokens


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    database = services.get(Database)
    async with database.write() as session:
        await seed_roles(session)
        password = await ensure_admin(session)
    idle = timedelta(hours=services.get(Settings).session.hours)
    services.put(FirstStart, FirstStart(FIRST_ADMIN, password))
    services.put(DeciderService, DeciderService(RoleDecider()))
    known = KnownTokens()
    services.put(KnownTokens, known)
    services.put(AuthenticatorService, AuthenticatorService(AccountAuthenticator(database, idle=idle, known=known)))
    yield


async def _purge(services: Services) -> None:
    async with services.get(Database).write() as session:
        await purge(session)


MODULE = Module(
    "identity",
    (
        PERMISSIONS.add(*access.ALL),
        PROVIDERS.add(Provider("identity", _open)),
        SCHEDULES.add(Schedule("identity.purge", "17 * * * *", _purge)),
        API.add(api.router),
        PAGES.add(sign_in.router, account.router, tokens.router, accounts.router, roles.router),
        TEMPLATES.add(module_templates("identity", "roadbed.identity")),
        NAVIGATION.add(
            NavItem(
                "Accounts", "/platform/accounts", "users", order=70, permission=access.ACCOUNT_READ, is_platform=True
            ),
            NavItem("Roles", "/platform/roles", "key", order=71, permission=access.ROLE_READ, is_platform=True),
        ),
    ),
)
