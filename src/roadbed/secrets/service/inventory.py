"""What secrets keep outside the database: the file with the key."""

from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.services import Services
from roadbed.secrets.service.keys import KEY_FILE


async def list_inventory(services: Services) -> list[Item]:
    """List the key file, if the key is in one."""
    return [Item("file", KEY_FILE, "secrets")] if (services.get(Home).path / KEY_FILE).exists() else []
