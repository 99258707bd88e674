"""What pipelines say about commits, under `pipeline` for all of it and `pipeline/<stage>` for each stage."""

from dataclasses import dataclass
from uuid import UUID

from roadbed.core.actor import system_actor
from roadbed.core.db import WriteSession
from roadbed.scm.contract import (
    Repository,
    RepositoryNotFound,
    RevisionNotFound,
    StatusState,
    StatusWish,
    get_repository_by_id,
    list_commit_statuses,
    set_commit_status,
)

ACTOR = system_actor("delivery")
OVERALL = "pipeline"


@dataclass(frozen=True)
class Word:
    """What to say: on the whole run, or on one of its stages."""

    state: StatusState
    text: str
    stage: str | None = None

    @property
    def context(self) -> str:
        return f"{OVERALL}/{self.stage}" if self.stage else OVERALL


async def say(
    session: WriteSession, repository: Repository, *, commit: str, word: Word, run_id: UUID | None = None
) -> None:
    """Say something about a commit, with the run as its address."""
    url = None if run_id is None else f"/runs/{run_id}" + (f"?step={word.stage}" if word.stage else "")
    wish = StatusWish(word.context, word.state, word.text, url)
    await set_commit_status(session, ACTOR, repository, sha=commit, status=wish)


async def say_of_run(session: WriteSession, repository_id: UUID, *, commit: str, word: Word, run_id: UUID) -> None:
    """Say something, unless repository or commit are gone: a run may outlive them."""
    try:
        repository = await get_repository_by_id(session, repository_id)
        await say(session, repository, commit=commit, word=word, run_id=run_id)
    except (RepositoryNotFound, RevisionNotFound):
        return


async def end_pending(session: WriteSession, repository_id: UUID, *, commit: str, run_id: UUID, text: str) -> None:
    """Turn every pending status of a run that will not go on into an error."""
    try:
        repository = await get_repository_by_id(session, repository_id)
        for status in await list_commit_statuses(session, repository, commit):
            is_of_run = status.url is not None and status.url.startswith(f"/runs/{run_id}")
            if is_of_run and status.state is StatusState.PENDING:
                stage = status.context.partition("/")[2] or None
                word = Word(StatusState.ERROR, text, stage)
                await say(session, repository, commit=commit, word=word, run_id=run_id)
    except (RepositoryNotFound, RevisionNotFound):
        return
