"""What the owner of the home folder may do without signing in."""

import asyncio
import getpass
from pathlib import Path

from roadbed.core.db import Database
from roadbed.core.home import open_home_database
from roadbed.core.services import Services
from roadbed.core.settings import Settings, load_settings
from roadbed.identity.contract import create_local_token


def create_token_of_owner(home: Path | None, role: str) -> str:
    """Create a token with one role, proven by access to the home folder's database, and return its value."""
    return asyncio.run(_create(load_settings(home=home), role))


async def _create(settings: Settings, role: str) -> str:
    async with open_home_database(settings) as home:
        database = Database(home.database_url, pool_size=2, statement_timeout_seconds=60, services=Services())
        try:
            async with database.write() as session:
                token = await create_local_token(session, role=role, made_by=getpass.getuser())
        finally:
            await database.close()
    assert token.value is not None
    return token.value
