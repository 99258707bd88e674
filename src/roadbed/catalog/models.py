"""Tables of the catalog."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base

Ordered = Annotated[dict[str, Any], mapped_column(JSON)]
"""A document as it was written: JSONB would sort its keys, and with them the questions of a template."""


class Location(Base):
    """Where entities are read from.

    `error` says why the last reading failed as a whole; the state of the last good one stays. `fingerprint` changes
    whenever the source may have changed. `read_at` is when the reading that was applied began. `entity_ref` is that of
    the Location entity which stands for it where Backstage's clients look. What may be set for one location alone is
    null when it is as for all (`types.LocationOptions`); `missing_count` and `report` are of its source.
    """

    __tablename__ = "locations"
    __table_args__ = (UniqueConstraint("type", "target"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    target: Mapped[str]
    entity_ref: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    checked_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None]
    revision: Mapped[str | None]
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    run_id: Mapped[UUID | None]
    allowed_kinds: Mapped[list[str] | None]
    interval_seconds: Mapped[int | None]
    remove_orphans_after_hours: Mapped[int | None]
    remove_after_missing: Mapped[int | None]
    source: Mapped[dict[str, Any]]
    missing_count: Mapped[int]
    report: Mapped[dict[str, Any]]
    may_define_kinds: Mapped[bool]


class LocationMemo(Base):
    """What the source of a location remembers from one look to the next, so that it need not ask again."""

    __tablename__ = "location_memos"

    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


class LocationFile(Base):
    """A file that was read, with what its entities depend on.

    That is its own content, that of the files it includes, and the declared kinds of its entities by name in lower
    case; the digest is empty of a kind that there was not.
    """

    __tablename__ = "location_files"

    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    includes: Mapped[dict[str, Any]]
    kinds: Mapped[dict[str, Any]]


class LocationError(Base):
    """A problem found while reading. `code` tells those that the catalog finds from those in a file.

    Without a location it is of an entity that was put over the API and whose kind has changed since.
    """

    __tablename__ = "location_errors"
    __table_args__ = (Index("ix_location_errors_location_id_file", "location_id", "file"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id", ondelete="CASCADE"))
    code: Mapped[str]
    severity: Mapped[str]
    file: Mapped[str]
    line: Mapped[int]
    column: Mapped[int]
    path: Mapped[str]
    reason: Mapped[str]
    hint: Mapped[str]
    ref: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]


class Entity(Base):
    """An entity as it was last read or put. `location_id` is null when it was put over the API, or is built in."""

    __tablename__ = "entities"
    __table_args__ = (
        Index("ix_entities_location_id_file", "location_id", "file"),
        Index("ix_entities_owner_ref", "owner_ref"),
        Index("ix_entities_kinds", "ref", postgresql_where=text("kind = 'Kind'")),
        Index("ix_entities_orphaned", "orphaned_at", postgresql_where=text("orphaned_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    namespace: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    sort_key: Mapped[str]
    description: Mapped[str]
    type: Mapped[str | None]
    lifecycle: Mapped[str | None]
    owner_ref: Mapped[str | None]
    system_ref: Mapped[str | None]
    tags: Mapped[list[str]]
    document: Mapped[Ordered]
    digest: Mapped[str]
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    is_built_in: Mapped[bool]
    file: Mapped[str]
    line: Mapped[int]
    end_line: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    orphaned_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(BigInteger)


class EntityRelation(Base):
    """One direction of a relation, kept with the entity that declared it, numbered there. The target need not exist.

    The entity is there, without a foreign key: docs/decisions/0021-relations-without-a-foreign-key.md.
    """

    __tablename__ = "entity_relations"
    __table_args__ = (
        Index("ix_entity_relations_source_type", "source_ref", "type"),
        Index("ix_entity_relations_child_of", "source_ref", "target_ref", postgresql_where=text("type = 'childOf'")),
    )

    origin_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    source_ref: Mapped[str]
    type: Mapped[str]
    target_ref: Mapped[str]


class EntityStatus(Base):
    """What another domain reports about an entity: in this state `since`, last seen `at`."""

    __tablename__ = "entity_statuses"

    ref: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    summary: Mapped[str]
    source: Mapped[str]
    href: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    at: Mapped[datetime]


class Touch(Base):
    """Something beside its content that changed about an entity: a status, a fault in its file, its location.

    Indexes that follow read them by `transaction`: what a finished transaction has written is complete, while a number
    from a sequence may become visible after a higher one.
    """

    __tablename__ = "touches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[str]
    transaction: Mapped[int] = mapped_column(
        BigInteger, index=True, server_default=text("((pg_current_xact_id())::text)::bigint")
    )
    at: Mapped[datetime] = mapped_column(index=True)


class Change(Base):
    """One change of one entity. Positions have no gaps and are given in the order of commits."""

    __tablename__ = "changes"
    __table_args__ = (
        Index("ix_changes_ref_position", "ref", "position"),
        Index("ix_changes_at_position", "at", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entity_id: Mapped[UUID]
    ref: Mapped[str]
    change: Mapped[str]
    digest: Mapped[str]
    document: Mapped[Ordered]
    location_id: Mapped[UUID | None]
    revision: Mapped[str | None]
    actor: Mapped[str]
    run_id: Mapped[UUID | None]
    at: Mapped[datetime]


class SavedView(Base):
    """A state of the list of entities that somebody keeps under a name: its query, as `schemas.views` writes it.

    `shared_with` is null for its owner alone, or `types.EVERYBODY`, or the ref of a group. The digest is of what can be
    changed. One that is deleted is kept for a while, and its name is free.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        Index(
            "uq_saved_views_name",
            "account_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_saved_views_shared_with", "shared_with", postgresql_where=text("shared_with IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    owner: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    shared_with: Mapped[str | None]
    digest: Mapped[str]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class DefaultView(Base):
    """The view with which the list opens for somebody: one of their own, or one that is shared with them."""

    __tablename__ = "default_views"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    view_id: Mapped[UUID] = mapped_column(ForeignKey("saved_views.id", ondelete="CASCADE"), index=True)


class Follow(Base):
    """Somebody follows an entity, whether it is there or not; `title` is what it was called when they began."""

    __tablename__ = "follows"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    created_at: Mapped[datetime]


class Visit(Base):
    """Somebody looked at the page of an entity, last `at`. The newest few of each account are kept."""

    __tablename__ = "visits"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
