"""What the owner of the home folder may do without signing in."""

import asyncio
import getpass
from pathlib import Path

from roadbed.app import MODULES
from roadbed.core.db import Database
from roadbed.core.extension import Registry, load
from roadbed.core.home import open_home_database
from roadbed.core.schema import migrate, read_status
from roadbed.core.services import Services
from roadbed.core.settings import Settings, load_settings
from roadbed.identity.contract import create_local_token, seed_roles


def create_token_of_owner(home: Path | None, role: str) -> str:
    """Create a token with one role, proven by access to the home folder's database, and return its value."""
    return asyncio.run(_create(load_settings(home=home), role))


async def _create(settings: Settings, role: str) -> str:
    async with open_home_database(settings) as home:
        services = Services()
        services.put(Registry, load(MODULES))
        database = Database(home.database_url, pool_size=2, statement_timeout_seconds=60, services=services)
        try:
            is_first_start = (await read_status(database)).current is None
            if is_first_start:
                await migrate(database)
            async with database.write() as session:
                if is_first_start:
                    await seed_roles(session)
                token = await create_local_token(session, role=role, made_by=getpass.getuser())
        finally:
            await database.close()
    assert token.value is not None
    return token.value
