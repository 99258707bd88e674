"""Documentation as the API takes and gives it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.paging import InvalidCursor, PageQuery
from roadbed.docs.types import Builder, LinkKind, Report, SiteState, SubjectSummary, VersionSummary
from roadbed.kit.paging import decode_cursor, encode_cursor


def cursor_of_subject(subject: SubjectSummary) -> str:
    return encode_cursor(subject.title, str(subject.ref))


def subject_of_cursor(cursor: str | None) -> tuple[str, str] | None:
    """Return title and ref that a cursor stands for; None for the first page."""
    if cursor is None:
        return None
    try:
        title, ref = decode_cursor(cursor, size=2)
    except ValueError as error:
        raise _invalid(cursor) from error
    if not (isinstance(title, str) and isinstance(ref, str)):
        raise _invalid(cursor)
    return title, ref


def _invalid(cursor: str) -> InvalidCursor:
    return InvalidCursor(
        f"The cursor {cursor!r} is not one of this list.", hint="Take next_cursor of the page before, unchanged."
    )


class DocsQuery(PageQuery):
    q: Annotated[str, Field(max_length=200, description="A part of a name or title.")] = ""


class VersionOut(BaseModel):
    """A site at one commit. `fallback` says why mkdocs did not render a site that has a mkdocs.yml."""

    revision: str
    builder: Builder
    fallback: str | None
    title: str | None
    home: str
    notes: list[str]
    pages: int
    broken_links: int
    external_links: int
    size_bytes: int
    run_id: UUID
    built_at: datetime

    @classmethod
    def of(cls, version: VersionSummary) -> "VersionOut":
        return cls(
            revision=version.revision,
            builder=version.builder,
            fallback=version.fallback,
            title=version.title,
            home=version.home,
            notes=list(version.notes),
            pages=version.page_count,
            broken_links=version.broken_count,
            external_links=version.external_count,
            size_bytes=version.size_bytes,
            run_id=version.run_id,
            built_at=version.built_at,
        )


class SiteOut(BaseModel):
    """A documented entity. Without a `state` its annotation leads nowhere, and `error` says why."""

    ref: str
    title: str
    owner: str | None
    techdocs_ref: str
    href: str
    source: str | None
    folder: str | None
    state: SiteState | None
    error: Mapping[str, Any] | None
    run_id: UUID | None
    version: VersionOut | None


class SitePageOut(BaseModel):
    items: list[SiteOut]
    next_cursor: str | None
    total: int


class VersionsOut(BaseModel):
    """The versions that are kept, the one that was built last first."""

    items: list[VersionOut]


class PageSummaryOut(BaseModel):
    path: str
    title: str
    source: str


class PagesOut(BaseModel):
    """The pages of a version, and how they are listed."""

    revision: str
    nav: list[dict[str, Any]]
    items: list[PageSummaryOut]


class PageOut(BaseModel):
    """A page: clean HTML, its headings, its words."""

    revision: str
    path: str
    title: str
    source: str
    html: str
    headings: list[dict[str, Any]]
    text: str


class LinkQuery(PageQuery):
    kind: LinkKind | None = None


class LinkOut(BaseModel):
    """A link that leads nowhere, or out of the site, where nobody looked."""

    model_config = ConfigDict(from_attributes=True)

    page: str
    target: str
    kind: LinkKind
    reason: str


class LinksOut(BaseModel):
    items: list[LinkOut]
    next_cursor: str | None


class MatchOut(BaseModel):
    """A page that was found, with the words around what was looked for."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    subject: str
    path: str
    title: str
    excerpt: str
    href: str


class MatchesOut(BaseModel):
    items: list[MatchOut]


class BuildOut(BaseModel):
    run_id: UUID


class ReportIn(BaseModel):
    """What is wrong with a page."""

    model_config = ConfigDict(extra="forbid")

    page: str = Field(max_length=1_000, examples=["docs/guide/setup"])
    text: str = Field(max_length=4_000, examples=["The second step is missing."])
    version: str = Field("latest", max_length=60)


class ReportOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    page: str
    revision: str
    text: str
    reported_by: str
    reported_at: datetime
    settled_by: str | None
    settled_at: datetime | None

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        return cls.model_validate(report)


class ReportsOut(BaseModel):
    items: list[ReportOut]


class SectionOut(BaseModel):
    title: str
    href: str


class RunbookOut(BaseModel):
    """The runbook that an entity names. `href` stays the same wherever it is; `href/ALERT` leads to a section."""

    href: str
    address: str
    is_external: bool
    sections: list[SectionOut]
