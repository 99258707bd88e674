"""The actions `publish:repository` and `publish:github`: the workspace becomes a repository on the configured host.

The rendered files, with a note of where they come from, are the repository's root commit. The default branch starts
there, and so does `refs/roadbed/path`, on which later versions of the path are rendered.
"""

from dataclasses import asdict, replace
from typing import Any

from roadbed.core.db import Database
from roadbed.goldenpaths.errors import NothingRendered
from roadbed.goldenpaths.rules.naming import repository_of
from roadbed.goldenpaths.service.products import add_product, find_work, remove_product
from roadbed.goldenpaths.types import (
    PATH_REF,
    PROVENANCE_FILE,
    Action,
    ActionCall,
    ActionScope,
    Foresight,
    PathOrigin,
)
from roadbed.kit.text import plural
from roadbed.kit.yamls import write_yaml
from roadbed.runs.contract import Done, Outcome, Undone, needing
from roadbed.scm.contract import (
    REPOSITORY_MANAGE,
    FileContent,
    Repository,
    RepositoryWish,
    TreeChange,
    author_of,
    branch_ref,
    clone_url,
    commit_files,
    create_repository,
    delete_repository,
    find_created_repository,
    find_repository,
    set_roadbed_ref,
)

_INPUT = {
    "type": "object",
    "properties": {
        "repository": {"type": "string"},
        "repoUrl": {"type": "string"},
        "name": {"type": "string"},
        "owner": {"type": "string"},
        "description": {"type": "string"},
        "defaultBranch": {"type": "string", "minLength": 1},
        "protectDefaultBranch": {"type": "boolean"},
        "gitCommitMessage": {"type": "string", "minLength": 1},
    },
}


async def _publish(call: ActionCall, given: dict[str, Any]) -> Outcome:
    files = await call.workspace.read()
    if not files:
        raise NothingRendered(
            "There are no files to publish.", hint="Put a step with fetch:template before this one in the template."
        )
    files[PROVENANCE_FILE] = FileContent(write_provenance(call.origin, call.answers).encode())
    branch = given.get("defaultBranch", "main")
    repository = await _create(call, given, branch)
    change = TreeChange(
        ref=branch_ref(branch),
        files=files,
        message=given.get("gitCommitMessage") or f"Create {repository.name} from {call.origin.label}.",
        author=author_of(call.actor),
        is_whole=True,
        key=call.key,
    )
    commit = await commit_files(call.services, call.actor, repository.id, change)
    await set_roadbed_ref(call.services, call.actor, repository.id, ref=PATH_REF, sha=commit)
    page = f"/repositories/{repository.full_name}"
    await call.step.link("repository", title=repository.full_name, href=page, meta=plural(len(files), "file"))
    call.step.log(f"Created {repository.full_name} with {plural(len(files), 'file')} at {commit[:12]}", stream="info")
    address = clone_url(call.services, repository)
    output = {
        "repository": repository.full_name,
        "repositoryId": str(repository.id),
        "remoteUrl": address,
        "repoContentsUrl": f"{address}#{branch}",
        "commitHash": commit,
        "page": page,
    }
    return Done(output, note=repository.full_name)


async def _create(call: ActionCall, given: dict[str, Any], branch: str) -> Repository:
    owner, name = repository_of(given, call.answers)
    wish = RepositoryWish(
        owner=owner,
        name=name,
        description=given.get("description", ""),
        default_branch=branch,
        is_protected=given.get("protectDefaultBranch", True),
        idempotency_key=call.key,
        created_by_run=call.step.run_id,
    )
    async with call.services.get(Database).write() as session:
        repository = await create_repository(session, call.actor, wish)
        await add_product(session, call, repository, run_id=call.step.run_id)
    return repository


async def _undo(call: ActionCall) -> Undone:
    """Delete the repository, if this very call created one and nobody has worked in it."""
    async with call.services.get(Database).write() as session:
        repository = await find_created_repository(session, call.actor, call.key)
        if repository is None:
            return Undone()
        reason = await find_work(session.services, repository)
        if reason is not None:
            return Undone(kept=(f"the repository {repository.full_name}, because {reason}",))
        await remove_product(session, repository.id)
        await delete_repository(session, call.actor, repository)
    call.step.log(f"Deleted the repository {repository.full_name}", stream="info")
    return Undone((f"the repository {repository.full_name}",))


async def _foresee(scope: ActionScope, given: dict[str, Any]) -> Foresight:
    owner, name = repository_of(given, scope.answers)
    async with scope.services.get(Database).read() as session:
        existing = await find_repository(session, owner, name)
    is_protected = given.get("protectDefaultBranch", True)
    branch = given.get("defaultBranch", "main")
    problem = f"There is a repository {owner}/{name} already. Choose another name." if existing else None
    return Foresight(
        title=f"Repository {owner}/{name}",
        detail=f"{'protected ' if is_protected else ''}{branch}",
        files=(PROVENANCE_FILE,),
        repository=f"{owner}/{name}",
        problem=problem,
    )


def write_provenance(origin: PathOrigin, answers: Any) -> str:
    """Return the file that says which path, version and answers a repository was rendered from."""
    document = {
        "path": origin.ref,
        "title": origin.title,
        "version": origin.version,
        **asdict(origin.source),
        "answers": dict(answers),
    }
    head = "# Written by Roadbed: the golden path that this repository was made from. Updates need it.\n"
    return head + write_yaml(document)


PUBLISH_REPOSITORY = Action(
    "publish:repository",
    "Create a repository",
    _INPUT,
    _publish,
    undo=_undo,
    guard_undo=needing(REPOSITORY_MANAGE),
    foresee=_foresee,
)
PUBLISH_GITHUB = replace(PUBLISH_REPOSITORY, name="publish:github", title="Create a repository on the configured host")
