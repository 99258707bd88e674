"""Who may see and change the catalog."""

from typing import Annotated

from roadbed.catalog.rules import sight
from roadbed.core.access import ADMINS, DEVELOPERS, PLATFORM, VIEWERS, Permission, requires
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
VIEW_WRITE = Permission("catalog.view.write", "Save views of the catalog, and share them", VIEWERS)
VIEW_GOVERN = Permission("catalog.view.govern", "Change and delete the shared views of others", ADMINS)
FOLLOW_WRITE = Permission("catalog.follow.write", "Follow entities, and clear what one looked at", VIEWERS)

EntityReader = Annotated[Actor, requires(ENTITY_READ)]
EntityWriter = Annotated[Actor, requires(ENTITY_WRITE)]
LocationReader = Annotated[Actor, requires(LOCATION_READ)]
LocationWriter = Annotated[Actor, requires(LOCATION_WRITE)]
ViewWriter = Annotated[Actor, requires(VIEW_WRITE)]
FollowWriter = Annotated[Actor, requires(FOLLOW_WRITE)]
