"""Who may see and change the catalog."""

from typing import Annotated

from roadbed.catalog.rules import sight
from roadbed.core.access import DEVELOPERS, PLATFORM, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

ENTITY_READ = Permission("catalog.entity.read", "See the catalog", VIEWERS, check_condition=sight.check)
ENTITY_WRITE = Permission("catalog.entity.write", "Put and delete entities", DEVELOPERS)
KIND_WRITE = Permission("catalog.kind.write", "Define kinds of entities", PLATFORM)
LOCATION_READ = Permission("catalog.location.read", "See locations and their errors", VIEWERS)
LOCATION_WRITE = Permission("catalog.location.write", "Register, refresh and remove locations", DEVELOPERS)
SERVER_FILES = Permission("catalog.location.server_files", "Have files of the server read into the catalog", PLATFORM)
LOCATION_GOVERN = Permission(
    "catalog.location.govern", "Have locations read with stored secrets, and bring more kinds than others may", PLATFORM
)

EntityReader = Annotated[Actor, requires(ENTITY_READ)]
EntityWriter = Annotated[Actor, requires(ENTITY_WRITE)]
LocationReader = Annotated[Actor, requires(LOCATION_READ)]
LocationWriter = Annotated[Actor, requires(LOCATION_WRITE)]
