"""What environments add to the application."""

from roadbed.catalog.contract import SHIPPED_ENTITIES, ShippedEntities
from roadbed.core.access import PERMISSIONS
from roadbed.core.extension import Module
from roadbed.environments.access import ENVIRONMENT_DEPLOY, ENVIRONMENT_READ

MODULE = Module(
    "environments",
    (
        PERMISSIONS.add(ENVIRONMENT_READ, ENVIRONMENT_DEPLOY),
        SHIPPED_ENTITIES.add(ShippedEntities("environment-types.yaml")),
    ),
)
