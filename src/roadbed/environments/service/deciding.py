"""What an approval of a deployment decides: what it replaces, the commits between, how the version does so far."""

from dataclasses import dataclass
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.environments.models import Application, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.rules.sets import find_entry
from roadbed.environments.service.reading import deployment_view, list_environments, list_workloads
from roadbed.environments.types import DeploymentState, DeploymentView, EnvironmentView, WorkloadView
from roadbed.scm.contract import Commit, Repository, find_commit, find_repository, list_commits_between

SHOWN_COMMITS = 20


@dataclass(frozen=True)
class CommitRange:
    """What a deployment brings and takes back: the newest `SHOWN_COMMITS` of each, and one more if there are more."""

    repository: Repository
    added: list[Commit]
    removed: list[Commit]


@dataclass(frozen=True)
class Decision:
    """What is decided.

    Args:
        deployment: what shall run, and where.
        replaced: version and commit of what runs there, or ran there before; None: nothing.
        commits: None where they are not known.
        former: the environment before that one on the way to production; None when it is the first.
        tried: what runs of the component in `former`.
    """

    deployment: DeploymentView
    replaced: tuple[str, str] | None
    commits: CommitRange | None
    former: EnvironmentView | None
    tried: WorkloadView | None

    @property
    def is_tried(self) -> bool:
        """Whether it is this very version that runs in the environment before."""
        return self.tried is not None and self.tried.artifact == self.deployment.artifact


async def find_decision(session: ReadSession, run_id: UUID) -> Decision | None:
    """Return what the approval of a deployment's run decides; None when the run is of something else."""
    found = await rows.find_deployment_of_run(session, run_id)
    if found is None:
        return None
    deployment, environment, application = found
    view = deployment_view(deployment, environment, application)
    replaced = await _find_replaced(session, view, environment)
    former = await _find_former(session, environment, application)
    tried = [] if former is None else await list_workloads(session, environment_ids=[former.id])
    return Decision(
        deployment=view,
        replaced=replaced,
        commits=await _find_commits(session, view, base=replaced[1]) if replaced else None,
        former=former,
        tried=next((one for one in tried if one.component == view.component and one.version), None),
    )


async def _find_replaced(
    session: ReadSession, deployment: DeploymentView, environment: Environment
) -> tuple[str, str] | None:
    is_done = deployment.state is DeploymentState.SUCCEEDED
    set_id = deployment.former_set_id if is_done else environment.set_id
    if set_id is None:
        return None
    content = (await rows.list_sets(session, [set_id]))[set_id].content
    entry = find_entry(content, component=deployment.component)
    return (entry["version"], entry["commit"]) if entry is not None else None


async def _find_former(
    session: ReadSession, environment: Environment, application: Application
) -> EnvironmentView | None:
    views = await list_environments(session, application_id=application.id)
    return next((view for view in reversed(views) if view.order < environment.order), None)


async def _find_commits(session: ReadSession, deployment: DeploymentView, *, base: str) -> CommitRange | None:
    owner, _, name = deployment.repository.partition("/")
    repository = await find_repository(session, owner, name)
    if repository is None or not (base and deployment.commit):
        return None
    services = session.services
    ends = [await find_commit(services, repository, commit) for commit in (base, deployment.commit)]
    if ends[0] is None or ends[1] is None:
        return None
    before, after = ends[0], ends[1]
    limit = SHOWN_COMMITS + 1
    return CommitRange(
        repository,
        added=await list_commits_between(services, repository, before, after, limit=limit),
        removed=await list_commits_between(services, repository, after, before, limit=limit),
    )
