"""What can go wrong with environments and deployments."""

from roadbed.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class ScoreInvalid(Invalid):
    """The Score file has faults, or says what the runtime cannot do; `problems` lists each with its path."""

    code = "environments.score_invalid"


class ApplicationNotFound(NotFound):
    """No application of this name was ever deployed."""

    code = "environments.application_not_found"


class EnvironmentNotFound(NotFound):
    """The application has no environment of this name."""

    code = "environments.environment_not_found"


class EnvironmentTypeNotFound(NotFound):
    """No EnvironmentType of this name is in the catalog."""

    code = "environments.environment_type_not_found"


class WorkloadNotFound(NotFound):
    """No workload of this name runs in the environment."""

    code = "environments.workload_not_found"


class DeploymentNotFound(NotFound):
    """No deployment is what was asked for."""

    code = "environments.deployment_not_found"


class ComponentUnclear(Invalid):
    """Several components are deployed there, and none was named."""

    code = "environments.component_unclear"


class WorkloadTaken(Conflict):
    """Another component has a workload of this name in the environment."""

    code = "environments.workload_taken"


class DeploymentSuperseded(Conflict):
    """A newer deployment of the same component has begun."""

    code = "environments.deployment_superseded"


class ResourcesFailed(Unavailable):
    """The resources that a workload needs could not be made."""

    code = "environments.resources_failed"


class RuntimeUnsupported(Invalid):
    """The environment type asks for something that Roadbed does not do yet."""

    code = "environments.runtime_unsupported"


class NotIsolated(Forbidden):
    """This machine cannot isolate workloads, so only admins may start them."""

    code = "environments.not_isolated"


class NoFreePort(Unavailable):
    """All ports for workloads are in use."""

    code = "environments.no_free_port"


class WorkloadNotReady(Unavailable):
    """A workload did not answer its readiness probe in time."""

    code = "environments.workload_not_ready"


class PlaceholderUnknown(Invalid):
    """A placeholder names something that does not exist."""

    code = "environments.placeholder_unknown"
