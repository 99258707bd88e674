"""Who may do what with resources."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, PLATFORM, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

RESOURCE_READ = Permission("provisioning.resource.read", "See resources and their outputs, without secrets", VIEWERS)
RESOURCE_WRITE = Permission("provisioning.resource.write", "Ask for resources", DEVELOPERS)
RESOURCE_DELETE = Permission("provisioning.resource.delete", "Delete resources and what they hold", PLATFORM)

ResourceReader = Annotated[Actor, requires(RESOURCE_READ)]
ResourceWriter = Annotated[Actor, requires(RESOURCE_WRITE)]
ResourceDeleter = Annotated[Actor, requires(RESOURCE_DELETE)]
