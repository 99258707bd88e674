"""Which entities are documented, and when their sites are built: after a push, one after another."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.contract import (
    INGEST,
    AnnotatedEntity,
    ChangeKind,
    EntitiesChanged,
    list_annotated,
)
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import Database, WriteSession, lock_transaction
from roadbed.core.events import Envelope
from roadbed.core.services import Services
from roadbed.docs.errors import RefInvalid, SiteNotFound
from roadbed.docs.models import DocsSite
from roadbed.docs.repository import sites as rows
from roadbed.docs.service.resolving import Resolver
from roadbed.docs.types import BUILD_KIND, TECHDOCS_REF, SiteSource, SiteState
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.refs import EntityRef
from roadbed.runs.contract import RunFinished, RunPlan, RunState, RunSummary, StepPlan, find_run, start_run
from roadbed.scm.contract import Pushed

ACTOR = system_actor("docs")
CONCURRENCY = 2
"""Sites that are built at the same time; others wait, so that a large catalog does not fill the queue of runs."""


async def follow_entities(session: WriteSession, envelope: Envelope[EntitiesChanged]) -> None:
    """Take note of which entities are documented, and where."""
    await _lock(session)
    changes = {ref: ChangeKind(change) for ref, _, change in envelope.event.changes}
    gone = [ref for ref, change in changes.items() if change is ChangeKind.DELETED]
    await _note(session, [ref for ref in changes if ref not in set(gone)], gone)
    await start_due(session)


async def follow_push(session: WriteSession, envelope: Envelope[Pushed]) -> None:
    """Have the sites of a branch built again after a push to it."""
    event = envelope.event
    if event.branch is None:
        return
    await _lock(session)
    await rows.mark_pushed(
        session, UUID(event.repository_id), event.branch, is_default_branch=event.is_default_branch, at=now()
    )
    await start_due(session)


async def follow_run(session: WriteSession, envelope: Envelope[RunFinished]) -> None:
    """Have the sites of a location built after it was read; note how a build ended, and begin the next."""
    event = envelope.event
    if event.kind not in (INGEST, BUILD_KIND):
        return
    await _lock(session)
    if event.kind == INGEST and event.state == RunState.SUCCEEDED and event.subject is not None:
        await rows.mark_read(session, UUID(event.subject.removeprefix("location:")), at=now())
    elif event.kind == BUILD_KIND:
        await _finish(session, UUID(event.run_id))
    await start_due(session)


async def _lock(session: WriteSession) -> None:
    """Let one transaction at a time decide what is built. Whoever needs rows of sites takes it before them."""
    await lock_transaction(session, "docs.start")


async def start_due(session: WriteSession) -> None:
    """Start the builds that are due, as many as may run at a time."""
    await _lock(session)
    building = 0
    for site in await rows.list_building(session):
        run = await find_run(session, site.run_id) if site.run_id else None
        if run is None or run.state.is_finished:
            await _settle(session, site, run)
        else:
            building += 1
    for site in await rows.take_due(session, limit=max(CONCURRENCY - building, 0)):
        await _start(session, ACTOR, site, is_forced=False)


async def start_waiting(services: Services) -> None:
    """Start what is due: nothing else may do so after a crash."""
    async with services.get(Database).write() as session:
        await start_due(session)


async def request_build(session: WriteSession, actor: Actor, ref: EntityRef) -> RunSummary:
    """Start a build of an entity's site now, or return the one that has not begun yet.

    Raises:
        SiteNotFound: it has none; says why.
    """
    subject = await rows.find_subject(session, str(ref))
    if subject is None or subject.site_id is None:
        raise no_site(ref, subject.problem if subject else None)
    await _lock(session)
    site = await rows.lock_site(session, subject.site_id)
    assert site is not None
    run = await find_run(session, site.run_id) if site.run_id else None
    if run is not None and run.started_at is None and not run.state.is_finished:
        return run
    return await _start(session, actor, site, is_forced=True)


def no_site(ref: EntityRef, problem: Mapping[str, Any] | None) -> SiteNotFound:
    """Return the error for an entity without documentation."""
    if problem is not None:
        return SiteNotFound(f"{ref} has no documentation: {problem['message']}", hint=problem["hint"])
    return SiteNotFound(
        f"{ref} has no documentation.", hint=f"Give it the annotation {TECHDOCS_REF}: dir:. and refresh its location."
    )


async def _start(session: WriteSession, actor: Actor, site: DocsSite, *, is_forced: bool) -> RunSummary:
    subject = await rows.find_first_subject(session, site.id)
    inputs = {"site_id": str(site.id), "is_forced": is_forced}
    run = await start_run(
        session,
        actor,
        RunPlan(
            kind=BUILD_KIND,
            title=f"Documentation of {subject.title if subject else site.label}",
            steps=[StepPlan("build", "Build pages", BUILD_KIND, inputs)],
            subject=subject.ref if subject else None,
            inputs=inputs,
        ),
    )
    site.is_due = False
    site.run_id = run.id
    site.state = SiteState.BUILDING
    await session.flush()
    return run


async def _finish(session: WriteSession, run_id: UUID) -> None:
    site = await rows.lock_by_run(session, run_id)
    if site is not None:
        await _settle(session, site, await find_run(session, run_id))


async def _settle(session: WriteSession, site: DocsSite, run: RunSummary | None) -> None:
    """Say how the newest build of a site ended."""
    if run is not None and not run.state.is_finished:
        return  # retried since
    if run is not None and run.state is RunState.SUCCEEDED:
        site.state, site.error = SiteState.READY, None
    else:
        said = (run.error if run else None) or {"message": "The build was cancelled.", "hint": "Build it again."}
        site.state, site.error = SiteState.FAILED, {"message": said["message"], "hint": said.get("hint")}
    await session.flush()


async def _note(session: WriteSession, present: Sequence[str], gone: Sequence[str]) -> None:
    annotated = await list_annotated(session, TECHDOCS_REF, present)
    known = await rows.list_subjects_by_refs(session, present)
    kept = {str(entity.ref) for entity in annotated}
    changed = await _find_changed(session, annotated, known)
    removed = await rows.delete_subjects(session, [*gone, *(ref for ref in known if ref not in kept)])
    await rows.save_subjects(session, changed)
    if not (changed or removed):
        return
    for site in await rows.delete_unused_sites(session):
        await record(
            session,
            ACTOR,
            action="docs.site_removed",
            subject=f"docs-site:{site.id}",
            before=site.key,
            source=site.label,
        )


async def _find_changed(
    session: WriteSession, annotated: Iterable[AnnotatedEntity], known: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of documented entities that are new or differ, their sites made."""
    resolver = Resolver(session)
    found: list[tuple[dict[str, Any], SiteSource | None]] = []
    for entity in annotated:
        source, problem = None, None
        try:
            source = await resolver.resolve(entity)
        except RefInvalid as error:
            problem = {"message": error.message, "hint": error.hint}
        found.append((_subject_row(entity, problem), source))
    sites = await _ensure_sites(session, [source for _, source in found if source is not None])
    changed = []
    for row, source in found:
        row["site_id"] = sites[source.key] if source is not None else None
        before = known.get(row["ref"])
        if before is None or any(getattr(before, name) != value for name, value in row.items()):
            changed.append(row)
    return changed


def _subject_row(entity: AnnotatedEntity, problem: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "ref": str(entity.ref),
        "kind": entity.ref.kind,
        "namespace": entity.ref.namespace,
        "name": entity.ref.name,
        "title": entity.title,
        "owner_ref": entity.owner,
        "techdocs_ref": entity.value[:2000],
        "site_id": None,
        "problem": problem,
    }


async def _ensure_sites(session: WriteSession, sources: Iterable[SiteSource]) -> dict[str, UUID]:
    """Return key → id of the sites of sources; new ones wait for their first build."""
    wanted = {source.key: source for source in sources}
    known = {key: site.id for key, site in (await rows.list_sites_by_keys(session, wanted)).items()}
    for key, source in wanted.items():
        if key not in known:
            known[key] = new_id()
            session.add(_new_site(known[key], source))
    await session.flush()
    return known


def _new_site(site_id: UUID, source: SiteSource) -> DocsSite:
    return DocsSite(
        id=site_id,
        key=source.key,
        folder=source.folder,
        label=source.label,
        repository_id=source.repository_id,
        location_id=source.location_id,
        branch=source.branch,
        web_url=source.web_url,
        state=SiteState.WAITING,
        is_due=True,
        asked_at=now(),
    )
