"""What other domains may use of environments."""

from roadbed.environments.access import ENVIRONMENT_DEPLOY, ENVIRONMENT_READ
from roadbed.environments.errors import DeploymentSuperseded, ScoreInvalid
from roadbed.environments.rules.names import split_host
from roadbed.environments.rules.score import read_score
from roadbed.environments.service.deploying import deploy
from roadbed.environments.service.reading import (
    find_deployment_of_run,
    list_deployments,
    list_environments,
    list_in_production,
    list_workloads,
)
from roadbed.environments.service.routes import HostRoute, find_route
from roadbed.environments.service.undoing import release_application
from roadbed.environments.service.using import find_artifact_user
from roadbed.environments.types import (
    DEPLOY_RUN,
    DeploymentFilter,
    DeploymentFinished,
    DeploymentState,
    DeploymentView,
    DeployWish,
    EnvironmentView,
    HealthChanged,
    WorkloadSpec,
    WorkloadView,
)

__all__ = [
    "DEPLOY_RUN",
    "ENVIRONMENT_DEPLOY",
    "ENVIRONMENT_READ",
    "DeployWish",
    "DeploymentFilter",
    "DeploymentFinished",
    "DeploymentState",
    "DeploymentSuperseded",
    "DeploymentView",
    "EnvironmentView",
    "HealthChanged",
    "HostRoute",
    "ScoreInvalid",
    "WorkloadSpec",
    "WorkloadView",
    "deploy",
    "find_artifact_user",
    "find_deployment_of_run",
    "find_route",
    "list_deployments",
    "list_environments",
    "list_in_production",
    "list_workloads",
    "read_score",
    "release_application",
    "split_host",
]
