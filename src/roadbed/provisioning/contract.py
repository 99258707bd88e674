"""What other domains may use of resources."""

from roadbed.provisioning.access import RESOURCE_READ, RESOURCE_WRITE
from roadbed.provisioning.errors import ResourceNotFound, ResourceNotReady
from roadbed.provisioning.service.reading import find_resource, get_outputs, list_resources
from roadbed.provisioning.service.requests import delete_resource, ensure_resources
from roadbed.provisioning.types import (
    DEFAULT_CLASS,
    DRIVERS,
    RESOURCE_USERS,
    Change,
    Driver,
    EnvironmentKey,
    Observation,
    Outputs,
    ResourceContext,
    ResourceFilter,
    ResourceState,
    ResourcesWish,
    ResourceView,
    ResourceWish,
)

__all__ = [
    "DEFAULT_CLASS",
    "DRIVERS",
    "RESOURCE_READ",
    "RESOURCE_USERS",
    "RESOURCE_WRITE",
    "Change",
    "Driver",
    "EnvironmentKey",
    "Observation",
    "Outputs",
    "ResourceContext",
    "ResourceFilter",
    "ResourceNotFound",
    "ResourceNotReady",
    "ResourceState",
    "ResourceView",
    "ResourceWish",
    "ResourcesWish",
    "delete_resource",
    "ensure_resources",
    "find_resource",
    "get_outputs",
    "list_resources",
]
