"""Deploying: one run a deployment, planned here and moved by the steps in `workflows`."""

from dataclasses import dataclass, replace
from typing import Any

from roadbed.artifacts.contract import Artifact, get_artifact
from roadbed.audit.contract import record
from roadbed.catalog.contract import EntitySummary, get_entity
from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession
from roadbed.core.sandbox import Sandbox
from roadbed.core.settings import Settings
from roadbed.environments.access import require_isolation
from roadbed.environments.models import Application, Deployment, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.rules.score import read_score
from roadbed.environments.service.places import get_type, put_environment
from roadbed.environments.service.progress import supersede_waiting
from roadbed.environments.service.reading import deployment_view
from roadbed.environments.types import DEPLOY_RUN, DeploymentState, DeploymentView, DeployWish, WorkloadSpec
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.text import plural
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, start_run


@dataclass(frozen=True)
class _Plan:
    """What a wish comes to."""

    wish: DeployWish
    spec: WorkloadSpec
    component: EntitySummary
    type: EntitySummary
    environment: Environment
    application: Application

    @property
    def what(self) -> str:
        return f"{self.component.ref.name} {self.wish.version}"

    @property
    def page(self) -> str:
        return f"/environments/{self.application.name}/{self.environment.name}"


async def deploy(session: WriteSession, actor: Actor, wish: DeployWish) -> DeploymentView:
    """Start the run that makes a component run in an environment as wished; wait for it by its `run_id`.

    Asked again under the same key, the same deployment answers.

    Raises:
        ScoreInvalid: with every fault of the Score document.
        EntityNotFound, ArtifactNotFound, EnvironmentTypeNotFound, RuntimeUnsupported.
        NotIsolated: this machine cannot isolate workloads, and the actor is no admin.
    """
    require_isolation(session.services.get(Sandbox).isolation, actor)
    spec = read_score(wish.score)
    component = await get_entity(session, wish.component)
    wish = _complete(wish, await get_artifact(session, wish.artifact))
    type_ = await get_type(session, wish.environment)
    environment, application = await put_environment(session, component, type_)
    plan = _Plan(wish, spec, component, type_, environment, application)
    hours = session.services.get(Settings).environments.approval_hours
    run = await start_run(session, actor, _plan_run(plan, approval_hours=hours))
    found = await rows.find_deployment_of_run(session, run.id)
    if found is None:
        found = (await _add(session, actor, plan, run), environment, application)
        if type_.spec.get("approval"):
            await supersede_waiting(session, found[0], environment)
    return deployment_view(*found)


def _complete(wish: DeployWish, artifact: Artifact) -> DeployWish:
    """Take from the artifact what the wish leaves out."""
    commit = wish.commit or artifact.commit
    return replace(
        wish,
        commit=commit,
        repository=wish.repository or artifact.repository,
        version=wish.version or artifact.version or commit[:7],
    )


def _plan_run(plan: _Plan, *, approval_hours: int) -> RunPlan:
    name = plan.spec.name
    steps = [StepPlan("begin", "Wait for its turn", "environments.begin")]
    if plan.type.spec.get("approval"):
        steps.insert(0, _approval(plan, approval_hours))
    if plan.spec.resources:
        count = plural(len(plan.spec.resources), "resource")
        steps.append(StepPlan("resources", f"Provision {count}", "environments.resources"))
    steps += [
        StepPlan("bind", "Bind variables", "environments.bind"),
        StepPlan("start", f"Start {name}", "environments.start"),
        StepPlan("ready", f"Wait until {name} is ready", "environments.ready"),
        StepPlan("switch", f"Send requests to {plan.wish.version}", "environments.switch"),
        StepPlan("tidy", "Stop what it replaces", "environments.tidy"),
    ]
    return RunPlan(
        kind=DEPLOY_RUN,
        title=f"Deploy {plan.what} to {plan.environment.name}",
        steps=steps,
        subject=str(plan.component.ref),
        inputs={"application": plan.application.entity_ref, "environment": plan.environment.name, **_entry(plan)},
        key=plan.wish.key,
        parent_run_id=plan.wish.parent_run_id,
    )


def _approval(plan: _Plan, hours: int) -> StepPlan:
    asked = plan.type.spec["approval"]
    owner = plan.component.owner
    approvers = [str(owner) if name == "owner" and owner else name for name in asked["approvers"]]
    commit = f", commit {plan.wish.commit[:7]}" if plan.wish.commit else ""
    inputs = {
        "title": f"Deploy {plan.what} to {plan.environment.name}",
        "approvers": [name for name in approvers if name != "owner"],  # one without an owner: admins decide
        "subject": str(plan.component.ref),
        "detail": f"Version {plan.wish.version}{commit} of {plan.component.ref.name} goes to {plan.environment.name}.",
        "href": plan.page,
        "expires_in_hours": asked.get("expiresAfterHours", hours),
        "is_four_eyes": asked.get("fourEyes", True),
    }
    return StepPlan("approve", f"Approve {plan.environment.name}", "approvals.ask", inputs)


def _entry(plan: _Plan) -> dict[str, Any]:
    """Return the entry of a deployment set that the deployment leads to."""
    return {
        "workload": plan.spec.name,
        "component": str(plan.component.ref),
        "artifact": plan.wish.artifact,
        "commit": plan.wish.commit,
        "version": plan.wish.version,
        "repository": plan.wish.repository,
        "score": dict(plan.wish.score),
    }


async def _add(session: WriteSession, actor: Actor, plan: _Plan, run: RunSummary) -> Deployment:
    entry = _entry(plan)
    deployment = Deployment(
        id=new_id(),
        environment_id=plan.environment.id,
        run_id=run.id,
        component=entry["component"],
        wanted=entry,
        has_begun=False,
        former_set_id=plan.environment.set_id,
        artifact=entry["artifact"],
        commit=entry["commit"],
        version=entry["version"],
        repository=entry["repository"],
        state=DeploymentState.RUNNING,
        by=actor.label,
        created_at=now(),
    )
    session.add(deployment)
    await session.flush()
    await record(
        session,
        actor,
        action="environments.deployment_started",
        subject=entry["component"],
        after=entry,
        environment=plan.environment.name,
        version=entry["version"],
        artifact=entry["artifact"],
        run=str(run.id),
    )
    return deployment
