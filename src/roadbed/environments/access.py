"""Who may see environments, and who may deploy."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, VIEWERS, Permission, requires
from roadbed.core.actor import Actor, ActorKind
from roadbed.core.sandbox import Isolation
from roadbed.environments.errors import NotIsolated

ENVIRONMENT_READ = Permission("environments.environment.read", "See environments, deployments and logs", VIEWERS)
ENVIRONMENT_DEPLOY = Permission("environments.environment.deploy", "Deploy to environments", DEVELOPERS)

EnvironmentReader = Annotated[Actor, requires(ENVIRONMENT_READ)]
Deployer = Annotated[Actor, requires(ENVIRONMENT_DEPLOY)]


def require_isolation(isolation: Isolation, actor: Actor) -> None:
    """Let only admins start workloads where nothing keeps these from the server's files.

    Raises:
        NotIsolated: with the reason.
    """
    if isolation.is_isolated or actor.kind is ActorKind.SYSTEM or "admin" in actor.roles:
        return
    raise NotIsolated(
        f"Workloads cannot be isolated on this machine ({isolation.reason}), so only admins may deploy.",
        hint="Ask an admin to deploy, or install bubblewrap.",
    )
