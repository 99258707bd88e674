"""Who may see the shell's own pages. What is on Home and in the search depends on the reader's permissions."""

from typing import Annotated

from roadbed.core.access import requires, signed_in
from roadbed.core.actor import Actor
from roadbed.core.health import SYSTEM_READ
from roadbed.core.inventory import INVENTORY_READ

SignedIn = Annotated[Actor, signed_in()]
SystemReader = Annotated[Actor, requires(SYSTEM_READ)]
InventoryReader = Annotated[Actor, requires(INVENTORY_READ)]
