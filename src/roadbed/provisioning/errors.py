"""What can go wrong with resources."""

from roadbed.core.errors import Conflict, Invalid, NotFound, Unavailable


class ResourceNotFound(NotFound):
    code = "provisioning.resource_not_found"


class ResourceNotReady(Conflict):
    """It has no outputs yet, or is being deleted."""

    code = "provisioning.resource_not_ready"


class ResourceInUse(Conflict):
    """Something runs that uses it, so that it is not deleted."""

    code = "provisioning.resource_in_use"


class ResourceInvalid(Invalid):
    """The request does not fit the resource type; `problems` says where."""

    code = "provisioning.resource_invalid"


class UnknownResourceType(Invalid):
    """The catalog has no such ResourceType."""

    code = "provisioning.unknown_type"


class NoDefinition(Invalid):
    """No resource definition applies; `problems` says why each does not."""

    code = "provisioning.no_definition"


class AmbiguousDefinition(Conflict):
    """Two resource definitions are equally specific."""

    code = "provisioning.ambiguous_definition"


class DriverMissing(Unavailable):
    """The chosen definition names a driver that this Roadbed does not have."""

    code = "provisioning.driver_missing"


class NotConfirmed(Invalid):
    """The name of what is to be deleted was not typed."""

    code = "provisioning.not_confirmed"
