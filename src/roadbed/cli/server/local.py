"""What the owner of the home folder may do without signing in."""

import asyncio
import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any

from roadbed.app import MODULES
from roadbed.core.db import Database
from roadbed.core.extension import Registry, load
from roadbed.core.home import no_installation, open_home_database, require_installation
from roadbed.core.schema import read_status
from roadbed.core.services import Services
from roadbed.core.settings import Settings, load_settings
from roadbed.identity.contract import NewToken, TokenWish, create_local_token


def create_token_of_owner(
    home: Path | None, role: str, *, name: str | None, days: int, scopes: list[str] | None
) -> dict[str, Any]:
    """Create a token with one role, proven by access to the home folder's database; returned as the API gives it."""
    wish = TokenWish(name or f"made by {getpass.getuser()}"[:100], tuple(scopes) if scopes else None, days=days)
    token = asyncio.run(_create(load_settings(home=home), role, wish))
    return {**asdict(token), "id": str(token.id), "expires_at": token.expires_at.isoformat()}


async def _create(settings: Settings, role: str, wish: TokenWish) -> NewToken:
    require_installation(settings)
    async with open_home_database(settings) as home:
        services = Services()
        services.put(Registry, load(MODULES))
        database = Database(home.database_url, pool_size=2, statement_timeout_seconds=60, services=services)
        try:
            if (await read_status(database)).current is None:
                raise no_installation(settings)
            async with database.write() as session:
                return await create_local_token(session, role=role, made_by=getpass.getuser(), wish=wish)
        finally:
            await database.close()
