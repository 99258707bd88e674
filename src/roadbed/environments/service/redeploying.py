"""Deploying what was deployed before: a version from another environment, or an earlier one of the same."""

from uuid import UUID

from roadbed.catalog.contract import get_entity
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.environments.errors import ComponentUnclear, DeploymentNotFound
from roadbed.environments.models import Application, Deployment, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.service.built import find_built, read_score_of
from roadbed.environments.service.deploying import deploy
from roadbed.environments.service.reading import get_deployment
from roadbed.environments.types import Choice, DeploymentFilter, DeploymentState, DeploymentView, DeployWish
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref


async def deploy_component(session: WriteSession, actor: Actor, *, environment: str, choice: Choice) -> DeploymentView:
    """Deploy a component to an environment: what was deployed before, else an artifact that its pipeline made.

    Without a source, version, commit or artifact the newest artifact is taken.

    Raises:
        ComponentUnclear, EntityNotFound, DeploymentNotFound, ScoreInvalid; and what `deploy` raises.
    """
    component = await get_entity(session, _parse(choice.component or ""))
    ref = str(component.ref)
    is_newest = not any((choice.source, choice.version, choice.commit, choice.artifact))
    application = await rows.find_application_of_component(session, ref)
    if application is not None and not is_newest:
        found = await rows.find_newest(session, _filter_of(application, ref, choice))
        if found is not None:
            return await _repeat(session, actor, found[0], environment=environment)
    artifact = None if choice.source else await find_built(session, ref, choice)
    if artifact is None:
        raise await _not_found(session, ref, choice)
    wish = DeployWish(
        component=component.ref,
        environment=environment,
        artifact=artifact.digest,
        score=await read_score_of(session, artifact),
    )
    return await deploy(session, actor, wish)


async def promote(
    session: WriteSession,
    actor: Actor,
    *,
    target: tuple[Environment, Application],
    choice: Choice,
) -> DeploymentView:
    """Deploy to `target` what was deployed before in the same application.

    Raises:
        ComponentUnclear, DeploymentNotFound; and what `deploy` raises.
    """
    environment, application = target
    component = await _choose_component(session, application, choice.component)
    found = await rows.find_newest(session, _filter_of(application, component, choice))
    if found is None:
        raise await _not_found(session, component, choice)
    return await _repeat(session, actor, found[0], environment=environment.name)


async def roll_back(
    session: WriteSession,
    actor: Actor,
    *,
    target: tuple[Environment, Application],
    component: str | None = None,
    deployment_id: UUID | None = None,
) -> DeploymentView:
    """Deploy what ran in an environment before, or what an earlier deployment of it led to.

    Raises:
        ComponentUnclear, DeploymentNotFound; and what `deploy` raises.
    """
    environment, application = target
    if deployment_id is None:
        component = await _choose_component(session, application, component)
        return await _repeat(
            session, actor, await _former(session, environment, component), environment=environment.name
        )
    deployment, place, _ = await get_deployment(session, deployment_id)
    if place.id != environment.id or deployment.state != DeploymentState.SUCCEEDED:
        raise DeploymentNotFound(
            f"Deployment {deployment_id} never ran in {environment.name} of {application.name}.",
            hint="Choose one of this environment that succeeded.",
        )
    return await _repeat(session, actor, deployment, environment=environment.name)


def _filter_of(application: Application, component: str, choice: Choice) -> DeploymentFilter:
    return DeploymentFilter(
        application_id=application.id,
        environment=choice.source,
        component=component,
        state=DeploymentState.SUCCEEDED,
        version=choice.version,
        commit=choice.commit,
        artifact=choice.artifact,
    )


async def _former(session: ReadSession, environment: Environment, component: str) -> Deployment:
    """Return the newest deployment that succeeded and led to something else than what runs now."""
    wanted = DeploymentFilter(
        application_id=environment.application_id,
        environment=environment.name,
        component=component,
        state=DeploymentState.SUCCEEDED,
    )
    found = [row[0] for row in await rows.list_deployments(session, wanted, limit=100)]
    for deployment in found[1:]:
        if deployment.wanted != found[0].wanted:
            return deployment
    raise DeploymentNotFound(
        f"Nothing else of {parse_ref(component).name} ran in {environment.name} before.",
        hint="Deploy another version instead.",
    )


async def _repeat(session: WriteSession, actor: Actor, deployment: Deployment, *, environment: str) -> DeploymentView:
    wish = DeployWish(
        component=parse_ref(deployment.component),
        environment=environment,
        artifact=deployment.artifact,
        score=deployment.wanted["score"],
        commit=deployment.commit,
        repository=deployment.repository,
        version=deployment.version,
    )
    return await deploy(session, actor, wish)


async def _choose_component(session: ReadSession, application: Application, wanted: str | None) -> str:
    """Return the component that is meant, as a ref."""
    found = await workload_rows.list_workloads(session, application_id=application.id)
    known = sorted({row.workload.component for row in found})
    if wanted is None:
        if len(known) == 1:
            return known[0]
        raise ComponentUnclear(
            f"{application.name} has {len(known)} components that were deployed; say which one is meant.",
            hint=f"Name one of: {', '.join(known)}." if known else "Let its pipeline deploy it first.",
        )
    ref = str(_parse(wanted))
    if ref not in known:
        raise ComponentUnclear(
            f"{ref} was never deployed in {application.name}.", hint=f"There are: {', '.join(known) or 'none'}."
        )
    return ref


def _parse(wanted: str) -> EntityRef:
    try:
        return parse_ref(wanted, default_kind="component")
    except InvalidRef as error:
        raise ComponentUnclear(f"{wanted!r} names no component: {error}.", hint="Give a ref or a name.") from error


async def _not_found(session: ReadSession, component: str, choice: Choice) -> DeploymentNotFound:
    said = ", ".join(
        f"{name} {value}"
        for name, value in (("version", choice.version), ("commit", choice.commit), ("artifact", choice.artifact))
        if value
    )
    where = f"to {choice.source}" if choice.source else "anywhere"
    known = ", ".join(await rows.list_versions(session, component)) or "none"
    return DeploymentNotFound(
        f"{parse_ref(component).name}{f' with {said}' if said else ''} was never deployed {where}.",
        hint=f"Versions that were: {known}. A new one comes from its pipeline.",
    )
