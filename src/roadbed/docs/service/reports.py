"""Problems with pages that readers report, and changes that they propose."""

import secrets
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.services import Services
from roadbed.docs.errors import EditRefused, ReportInvalid, ReportNotFound
from roadbed.docs.models import DocsPage, DocsReport
from roadbed.docs.repository import sites as table
from roadbed.docs.service.reading import OpenedSite
from roadbed.docs.types import Report, SiteSource, SiteSummary, SubjectSummary
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.text import slugify
from roadbed.scm.contract import (
    CHANGE_WRITE,
    REPOSITORY_WRITE,
    ZERO_SHA,
    ChangeRequest,
    ChangeRequestWish,
    FileContent,
    Repository,
    TreeChange,
    author_of,
    branch_ref,
    commit_files,
    find_commit,
    get_repository_by_id,
    open_change_request,
    read_file,
)

LONGEST_REPORT = 4_000
LONGEST_PAGE = 1_000_000
_SHOWN = 50


async def report_problem(session: WriteSession, actor: Actor, opened: OpenedSite, page: DocsPage, text: str) -> Report:
    """Keep what a reader says is wrong with a page; the owners of what it documents find it on Home.

    Raises:
        ReportInvalid: there are no words, or too many.
    """
    said = text.strip()
    if not said or len(said) > LONGEST_REPORT:
        raise ReportInvalid(
            f"A report has 1 to {LONGEST_REPORT:,} characters; this one has {len(said):,}.", hint="Say what is wrong."
        )
    row = DocsReport(
        id=new_id(),
        site_id=opened.site.id,
        page=page.path,
        revision=opened.version.revision,
        text=said.replace("\x00", ""),
        reported_by=actor.label,
        reported_at=now(),
    )
    await table.add_report(session, row)
    await record(
        session, actor, action="docs.problem_reported", subject=str(opened.subject.ref), after=said, page=page.path
    )
    return view(row)


async def settle_report(session: WriteSession, actor: Actor, subject: SubjectSummary, report_id: UUID) -> Report:
    """Take a report from the list: it was mended, or is none.

    Raises:
        ReportNotFound: this entity's documentation has none of this id.
    """
    row = await table.lock_report(session, report_id)
    if row is None or row.site_id != subject.site_id:
        raise ReportNotFound(f"There is no report {report_id} on {subject.ref}.", hint="It may be settled already.")
    if row.settled_at is None:
        row.settled_at, row.settled_by = now(), actor.label
        await record(session, actor, action="docs.report_settled", subject=str(subject.ref), page=row.page)
    return view(row)


async def list_reports(session: ReadSession, site: SiteSummary) -> list[Report]:
    """List the reports on a site that are not settled, newest first."""
    return [view(row) for row in await table.list_reports(session, site.id, limit=_SHOWN)]


def view(row: DocsReport) -> Report:
    return Report(
        id=row.id,
        site_id=row.site_id,
        page=row.page,
        revision=row.revision,
        text=row.text,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        settled_by=row.settled_by,
        settled_at=row.settled_at,
    )


def may_edit(services: Services, actor: Actor, source: SiteSource) -> bool:
    """Tell whether somebody can propose a change of a page here."""
    decider = services.get(DeciderService)
    return source.repository_id is not None and all(
        decider.has(actor, permission) for permission in (REPOSITORY_WRITE, CHANGE_WRITE)
    )


async def read_for_edit(services: Services, actor: Actor, source: SiteSource, path: str) -> tuple[str, str]:
    """Return the text of a file as it is now, and the commit.

    Raises:
        EditRefused: it is not changed here.
        Forbidden: the actor may not write to repositories.
        PathNotFound: it is gone.
    """
    repository, head = await _open(services, actor, source)
    content = await read_file(services, repository, head, path, limit_bytes=LONGEST_PAGE)
    return content.decode("utf-8", "replace"), head


async def propose_change(
    services: Services, actor: Actor, source: SiteSource, *, path: str, text: str, base: str
) -> tuple[Repository, ChangeRequest]:
    """Commit a page to a branch of its own and open a change request.

    Args:
        services: git and the database.
        actor: who proposes it.
        source: of the site.
        path: the file.
        text: its new content.
        base: the commit it was changed from.

    Raises:
        EditRefused: it is not changed here, too long, or the same as before.
        Forbidden: the actor may not write to repositories.
    """
    repository, head = await _open(services, actor, source)
    sha = await find_commit(services, repository, base) or head
    content = text.replace("\r\n", "\n").rstrip("\n") + "\n"
    if len(content.encode()) > LONGEST_PAGE:
        raise EditRefused(f"A page has at most {LONGEST_PAGE:,} bytes.", hint="Divide it.")
    before = await read_file(services, repository, sha, path, limit_bytes=LONGEST_PAGE)
    if before.decode("utf-8", "replace").rstrip("\n") + "\n" == content:
        raise EditRefused("Nothing was changed.", hint="Go back and change the text.")
    branch = f"docs/{slugify(path.rpartition('/')[2])[:40] or 'page'}-{secrets.token_hex(3)}"
    title = f"docs: Change {path}"[:200]
    change = TreeChange(
        branch_ref(branch),
        {path: FileContent(content.encode())},
        title,
        author_of(actor),
        expected=ZERO_SHA,
        parent=sha,
    )
    await commit_files(services, actor, repository.id, change)
    async with services.get(Database).write() as session:
        wish = ChangeRequestWish(branch, title, target_branch=source.branch)
        return repository, await open_change_request(session, actor, repository, wish)


async def _open(services: Services, actor: Actor, source: SiteSource) -> tuple[Repository, str]:
    if source.repository_id is None:
        raise EditRefused(
            "These pages are not in a repository of this Roadbed.", hint="Change them where they are kept."
        )
    decider = services.get(DeciderService)
    for permission in (REPOSITORY_WRITE, CHANGE_WRITE):
        decider.require(actor, permission)
    async with services.get(Database).read() as session:
        repository = await get_repository_by_id(session, source.repository_id)
    head = await find_commit(services, repository, source.branch or repository.default_branch)
    if head is None:
        raise EditRefused(f"{repository.full_name} has no commits.", hint="Push some.")
    return repository, head
