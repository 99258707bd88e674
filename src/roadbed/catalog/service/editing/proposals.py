"""Opening a change request with changed files: once, however often it is asked for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roadbed.audit.contract import record
from roadbed.catalog.errors import ProposalInvalid
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.kit.jsons import digest
from roadbed.kit.text import slugify
from roadbed.scm.contract import (
    ZERO_SHA,
    ChangeRequest,
    ChangeRequestExists,
    ChangeRequestWish,
    FileContent,
    Repository,
    TreeChange,
    author_of,
    branch_ref,
    commit_files,
    get_change_request,
    open_change_request,
)

LONGEST_TITLE = 200
LONGEST_MESSAGE = 20_000
_RECORDED = 50


@dataclass(frozen=True)
class Words:
    """How a change request is introduced."""

    title: str
    message: str = ""

    def check(self) -> "Words":
        """Return them without blanks around.

        Raises:
            ProposalInvalid: there is no title, or too much.
        """
        title, message = " ".join(self.title.split()), self.message.replace("\r\n", "\n").strip()
        if not title or len(title) > LONGEST_TITLE or len(message) > LONGEST_MESSAGE or "\0" in title + message:
            raise ProposalInvalid(
                f"A title has 1 to {LONGEST_TITLE} characters, a message at most {LONGEST_MESSAGE:,}.",
                hint="Say in a line what changes.",
            )
        return Words(title, message)


@dataclass(frozen=True)
class Proposal:
    """Files to be changed.

    Args:
        files: their new content, by path.
        words: title and message.
        parent: the commit that they were changed in.
        branch: the one that the change is to come into.
        key: the same key gives the same change request.
        subjects: refs of the entities that are changed.
    """

    files: Mapping[str, FileContent]
    words: Words
    parent: str
    branch: str
    key: str
    subjects: Sequence[str] = ()


async def propose(services: Services, actor: Actor, repository: Repository, proposal: Proposal) -> ChangeRequest:
    """Commit files to a branch of their own, and ask for it to be merged.

    Raises:
        ProposalInvalid: the files are as they were.
    """
    branch = _name_branch(proposal)
    words = proposal.words
    change = TreeChange(
        branch_ref(branch),
        proposal.files,
        f"{words.title}\n\n{words.message}".strip(),
        author_of(actor),
        expected=ZERO_SHA,
        parent=proposal.parent,
        key=f"catalog:{proposal.key}",
    )
    commit = await commit_files(services, actor, repository.id, change)
    async with services.get(Database).write() as session:
        wish = ChangeRequestWish(branch, words.title, words.message, target_branch=proposal.branch)
        try:
            opened = await open_change_request(session, actor, repository, wish)
        except ChangeRequestExists as error:
            return await get_change_request(session, repository, error.context["number"])
        for ref in proposal.subjects[:_RECORDED]:
            await record(
                session,
                actor,
                action="catalog.change_proposed",
                subject=ref,
                after=commit,
                repository=repository.full_name,
                change_request=opened.number,
                files=sorted(proposal.files)[:_RECORDED],
            )
        return opened


def make_key(*parts: object) -> str:
    """Return a key that is the same for the same request."""
    return digest([str(part) for part in parts])[:40]


def page_of(repository: Repository, change: ChangeRequest) -> str:
    return f"/repositories/{repository.full_name}/changes/{change.number}"


def _name_branch(proposal: Proposal) -> str:
    name = slugify(proposal.words.title)[:40].strip("-") or "change"
    return f"catalog/{name}-{hashlib.sha256(proposal.key.encode()).hexdigest()[:8]}"
