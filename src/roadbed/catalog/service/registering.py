"""Registering a repository with a look at it first: what is found, what is wrong, or what could be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from roadbed.catalog.access import LOCATION_WRITE, SERVER_FILES
from roadbed.catalog.errors import LocationForbidden, LocationInvalid, LookNotFound, ProposalInvalid, SourceNotWritable
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.targets import parse_git_target
from roadbed.catalog.service.editing.drafts import LONGEST_DOCUMENT
from roadbed.catalog.service.editing.judging import FileJudge
from roadbed.catalog.service.editing.originals import read_own
from roadbed.catalog.service.editing.origins import Origin, require_proposer
from roadbed.catalog.service.editing.proposals import Proposal, Words, make_key, propose
from roadbed.catalog.service.locations import check_target, stored_target
from roadbed.catalog.types import LocationType
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.services import Services
from roadbed.runs.contract import RunPlan, RunState, RunSummary, StepPlan, find_run, start_run
from roadbed.scm.contract import REPOSITORY_READ, ChangeRequest, FileContent, Repository, find_repository

LOOK = "catalog.look"
REGISTER_MERGED = "catalog.register_merged"
CHANGE_WAIT = "catalog.change_request"
_LOOKED_AT = (LocationType.GIT, LocationType.URL, LocationType.FILE)
_SHORT = 60


@dataclass(frozen=True)
class Findings:
    """What a look at a place has found, as its run keeps it.

    Args:
        run: the look.
        type: of the location that it could become.
        target: as a location would keep it.
        found: what the step of the run gave (`workflows.looking`); empty until it has ended.
    """

    run: RunSummary
    type: str
    target: str
    found: Mapping[str, Any]

    @property
    def is_over(self) -> bool:
        return self.run.state.is_finished

    @property
    def has_failed(self) -> bool:
        return self.is_over and self.run.state is not RunState.SUCCEEDED

    @property
    def short_name(self) -> str:
        """What is looked at, for a heading: the name of a repository, or of a file."""
        return self.target.partition("#")[0].rstrip("/").rpartition("/")[2].removesuffix(".git") or self.target

    @property
    def generated_path(self) -> str | None:
        """The file that is proposed, where none was found."""
        generated = self.found.get("generated")
        return str(generated["path"]) if generated else None

    @property
    def paths(self) -> frozenset[str]:
        """The files that can be mended here: those with faults, and what is proposed."""
        faulty = (file["path"] for file in self.found.get("files", ()) if file["text"] is not None)
        return frozenset((*faulty, *filter(None, (self.generated_path,))))

    @property
    def is_own(self) -> bool:
        """Whether it is a repository of the built-in host."""
        return self.type == LocationType.GIT and parse_git_target(self.target).own_repository is not None


@dataclass(frozen=True)
class CheckedFile:
    """A file as somebody wants it, and what is wrong with it."""

    path: str
    text: str
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


def default_title(path: str) -> str:
    """Return what the change request with a catalog file is called unless somebody says otherwise."""
    return f"catalog: Write {path}"[:200]


async def start_look(session: WriteSession, actor: Actor, *, type_: str, target: str) -> RunSummary:
    """Start a run that looks at a place as a location would read it, and keeps nothing of it in the catalog.

    Raises:
        LocationInvalid, LocationForbidden: it could not be registered either.
    """
    if type_ not in list(_LOOKED_AT):
        raise LocationInvalid(f"Locations of type {type_} are not looked at before.", hint="Register it at once.")
    stored = await stored_target(session, type_, target, {})
    check_target(session, actor, type_, stored)
    _require_sight(session, actor, type_, stored)
    title = stored if len(stored) <= _SHORT else "…" + stored[-_SHORT:]
    inputs = {"type": type_, "target": stored}
    plan = RunPlan(
        kind=LOOK,
        title=f"Look at {title}",
        steps=[StepPlan("look", "Look at it", LOOK, inputs)],
        subject=f"{type_}:{stored}",
        inputs=inputs,
    )
    return await start_run(session, actor, plan)


async def get_findings(session: ReadSession, actor: Actor, run_id: UUID) -> Findings:
    """Return what a look has found, as far as it has come.

    Raises:
        LookNotFound: there is none.
        LocationForbidden, Forbidden: the actor may not see what it looked at.
    """
    run = await find_run(session, run_id)
    if run is None or run.kind != LOOK:
        raise LookNotFound(f"There is no look {run_id}.", hint="Look at the address again.")
    type_, _, target = (run.subject or "").partition(":")
    _require_sight(session, actor, type_, target)
    return Findings(run, type_, target, run.output.get("look") or {})


async def check_file(services: Services, findings: Findings, *, path: str, text: str) -> CheckedFile:
    """Return what is wrong with a file that somebody wrote for a place that was looked at.

    Raises:
        ProposalInvalid: it is too long, or `path` is none that was found or proposed.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST_DOCUMENT or path not in findings.paths:
        raise ProposalInvalid(
            f"A file of the look with at most {LONGEST_DOCUMENT:,} characters is wanted.", hint="Clone the repository."
        )
    repository = await _find_own(services, findings)
    commit = str(findings.found.get("revision") or "") if repository is not None else ""
    judge = FileJudge(services, Origin(None, path, repository), commit)
    problems = await judge.judge(text, first_line=0)
    if not text.strip():
        problems = [Problem(path, 1, 1, "", "The file is empty.", "Write an entity.")]
    return CheckedFile(path, text, tuple(problems))


async def propose_file(
    services: Services, actor: Actor, findings: Findings, file: CheckedFile, words: Words
) -> tuple[Repository, ChangeRequest, RunSummary]:
    """Open a change request with a file, and start the run that registers the repository when it is merged.

    Raises:
        SourceNotWritable: the repository is elsewhere.
        ProposalInvalid: something is wrong with the file, or it is there already.
        Forbidden: the actor may not write to repositories, or not register.
    """
    repository = await _find_own(services, findings)
    if repository is None:
        raise SourceNotWritable(
            "The repository is elsewhere, where Roadbed only reads.", hint="Put the file there yourself, then register."
        )
    require_proposer(services, actor)
    services.get(DeciderService).require(actor, LOCATION_WRITE)
    words = words.check()
    if not file.is_sound:
        raise ProposalInvalid("The file has errors.", hint="Correct them first.")
    branch = str(findings.found["branch"])
    parent = str(findings.found["revision"])
    content = await _make_content(services, repository, findings, file)
    proposal = Proposal(
        {file.path: content},
        words,
        parent,
        branch,
        make_key(findings.run.id, actor.id, file.path, file.text, words.title),
    )
    change = await propose(services, actor, repository, proposal)
    async with services.get(Database).write() as session:
        run = await _wait_for_merge(session, actor, repository, change, findings)
    return repository, change, run


def _require_sight(session: ReadSession, actor: Actor, type_: str, target: str) -> None:
    """Raise unless the actor may see what a place holds."""
    decider = session.services.get(DeciderService)
    is_local = type_ == LocationType.FILE or target.startswith("file:")
    if is_local and not decider.has(actor, SERVER_FILES):
        raise LocationForbidden("These are files of the server.", hint=f"Seeing them needs {SERVER_FILES.name}.")
    if type_ == LocationType.GIT and parse_git_target(target).own_repository is not None:
        decider.require(actor, REPOSITORY_READ)


async def _make_content(
    services: Services, repository: Repository, findings: Findings, file: CheckedFile
) -> FileContent:
    """Return a file as it is committed; one that is there keeps its mode, and must differ.

    Raises:
        ProposalInvalid: it does not.
    """
    content = (file.text if file.text.endswith("\n") else file.text + "\n").encode()
    if file.path == findings.generated_path:
        return FileContent(content)
    original = await read_own(services, repository, str(findings.found["revision"]), file.path)
    if original.content == content:
        raise ProposalInvalid("Nothing was changed.", hint="Change something.")
    return original.with_content(content)


async def _wait_for_merge(
    session: WriteSession, actor: Actor, repository: Repository, change: ChangeRequest, findings: Findings
) -> RunSummary:
    inputs = {
        "repository_id": str(repository.id),
        "number": change.number,
        "type": findings.type,
        "target": findings.target,
    }
    title = f"Register {repository.full_name} when change request #{change.number} is merged"
    plan = RunPlan(
        kind=REGISTER_MERGED,
        title=title,
        steps=[StepPlan("register", "Register it", REGISTER_MERGED, inputs)],
        subject=f"change-request:{repository.full_name}#{change.number}",
        inputs=inputs,
        key=f"{repository.id}:{change.number}",
    )
    return await start_run(session, actor, plan)


async def _find_own(services: Services, findings: Findings) -> Repository | None:
    """Return the repository of the built-in host that was looked at."""
    if findings.type != LocationType.GIT:
        return None
    named = parse_git_target(findings.target).own_repository
    if named is None:
        return None
    async with services.get(Database).read() as session:
        return await find_repository(session, *named)
