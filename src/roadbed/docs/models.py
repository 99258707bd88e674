"""Tables of documentation."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base

Words = Annotated[str, mapped_column(TSVECTOR)]


class DocsSite(Base):
    """What is rendered of one folder. `is_due` while it waits for a build, asked for at `asked_at`."""

    __tablename__ = "docs_sites"
    __table_args__ = (
        Index("ix_docs_sites_due", "asked_at", postgresql_where=text("is_due")),
        Index("ix_docs_sites_repository_id", "repository_id"),
        Index("ix_docs_sites_location_id", "location_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    folder: Mapped[str]
    label: Mapped[str]
    repository_id: Mapped[UUID | None]
    location_id: Mapped[UUID | None]
    branch: Mapped[str | None]
    web_url: Mapped[str | None]
    state: Mapped[str]
    error: Mapped[dict[str, Any] | None]
    is_due: Mapped[bool]
    asked_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None] = mapped_column(index=True)
    version_id: Mapped[UUID | None]


class DocsSubject(Base):
    """An entity that asks for documentation. Without a site, `problem` says why."""

    __tablename__ = "docs_subjects"
    __table_args__ = (Index("ix_docs_subjects_site_id_ref", "site_id", "ref"),)

    ref: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    namespace: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    owner_ref: Mapped[str | None]
    techdocs_ref: Mapped[str]
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("docs_sites.id", ondelete="CASCADE"))
    problem: Mapped[dict[str, Any] | None]


class DocsVersion(Base):
    """A site at one commit."""

    __tablename__ = "docs_versions"
    __table_args__ = (UniqueConstraint("site_id", "revision"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("docs_sites.id", ondelete="CASCADE"))
    revision: Mapped[str]
    builder: Mapped[str]
    fallback: Mapped[str | None]
    title: Mapped[str | None]
    home: Mapped[str]
    nav: Mapped[list[Any]]
    notes: Mapped[list[str]]
    page_count: Mapped[int]
    broken_count: Mapped[int]
    external_count: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[UUID]
    built_at: Mapped[datetime]


class DocsPage(Base):
    """A page of a version: clean HTML, its headings, and what is searched."""

    __tablename__ = "docs_pages"
    __table_args__ = (Index("ix_docs_pages_words", "words", postgresql_using="gin"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("docs_versions.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    title: Mapped[str]
    html: Mapped[str]
    headings: Mapped[list[Any]]
    text: Mapped[str]
    words: Mapped[Words] = mapped_column(
        Computed(
            "setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', text), 'C')",
            persisted=True,
        )
    )


class DocsFile(Base):
    """An image or attachment of a version; its bytes are a blob."""

    __tablename__ = "docs_files"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("docs_versions.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    size_bytes: Mapped[int]


class DocsLink(Base):
    """A link that leads nowhere, or out of the site."""

    __tablename__ = "docs_links"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("docs_versions.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str]
    target: Mapped[str]
    kind: Mapped[str]
    reason: Mapped[str]


class DocsReport(Base):
    """A problem with a page that a reader reported."""

    __tablename__ = "docs_reports"
    __table_args__ = (Index("ix_docs_reports_open", "site_id", postgresql_where=text("settled_at IS NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("docs_sites.id", ondelete="CASCADE"))
    page: Mapped[str]
    revision: Mapped[str]
    text: Mapped[str]
    reported_by: Mapped[str]
    reported_at: Mapped[datetime]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
