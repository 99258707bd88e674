"""States as pages show them, and where a workload's component is."""

from roadbed.catalog.contract import Health
from roadbed.environments.types import DeploymentState, WorkloadView

_HEALTH = {
    Health.HEALTHY: ("ok", "Healthy"),
    Health.DEPLOYING: ("run", "Deploying"),
    Health.UNKNOWN: ("off", "Unknown"),
    Health.DEGRADED: ("warn", "Degraded"),
    Health.FAILING: ("bad", "Failing"),
}
DEPLOYMENT_WORDS = {
    DeploymentState.RUNNING: ("run", "Running"),
    DeploymentState.SUCCEEDED: ("ok", "Done"),
    DeploymentState.FAILED: ("bad", "Failed"),
    DeploymentState.CANCELLED: ("no", "Cancelled"),
    DeploymentState.SUPERSEDED: ("no", "Superseded"),
}


def health_words(workload: WorkloadView) -> tuple[str, str]:
    return ("no", "Stopped") if workload.is_stopped else _HEALTH[Health(workload.health)]


def entity_page(workload: WorkloadView) -> str:
    kind, _, rest = workload.component.partition(":")
    return f"/catalog/{kind}/{rest}"
