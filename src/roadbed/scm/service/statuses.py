"""What pipelines say about commits."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.kit.clock import now
from roadbed.scm.errors import InvalidStatus
from roadbed.scm.repository import changes as table
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.types import CommitStatus, Repository, StatusState

MAX_DESCRIPTION = 200
_CONTEXT = re.compile(r"[\w.-]+(?:[/ ][\w.-]+)*")


@dataclass(frozen=True)
class StatusWish:
    """What to say: under which context (`pipeline/test`), the state, a sentence, and where more is to be read."""

    context: str
    state: StatusState
    description: str = ""
    url: str | None = None


async def set_commit_status(
    session: WriteSession, actor: Actor, repository: Repository, *, sha: str, status: StatusWish
) -> CommitStatus:
    """Say something about a commit; the same context again replaces what it said before.

    Raises:
        RevisionNotFound: there is no such commit.
        InvalidStatus: context or URL is not one.
    """
    context, url = status.context, status.url
    if not _CONTEXT.fullmatch(context) or len(context) > 100:
        raise InvalidStatus(f"{context[:100]!r} is not a context.", hint="Use words and slashes: `pipeline/test`.")
    if url is not None and not (url.startswith("/") and not url.startswith("//")) and not _is_web(url):
        raise InvalidStatus(f"{url[:200]!r} is not an address.", hint="Give an http(s) URL, or a path of this Roadbed.")
    full = await session.services.get(ScmHosts).of(repository).get_commit(repository, sha)
    said = CommitStatus(full, context, status.state, status.description[:MAX_DESCRIPTION], url, now())
    await table.save_status(session, repository.id, said)
    await record(
        session,
        actor,
        action="scm.commit_status_set",
        subject=f"commit:{repository.full_name}@{full}",
        after={"context": context, "state": status.state},
        context=context,
        state=status.state,
    )
    return said


async def list_commit_statuses(session: ReadSession, repository: Repository, sha: str) -> list[CommitStatus]:
    """List what is said about a commit, by context."""
    full = await session.services.get(ScmHosts).of(repository).get_commit(repository, sha)
    return await table.list_statuses(session, repository.id, [full])


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)
