"""Tables: accounts, roles, sessions, tokens, sign-in attempts. Passwords, sessions and tokens are kept as hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base
from roadbed.identity.types import AccountKind


class Account(Base):
    """A person or a program. Names are unique without regard to case."""

    __tablename__ = "accounts"
    __table_args__ = (Index("uq_accounts_name", text("lower(name)"), unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    display_name: Mapped[str]
    entity_ref: Mapped[str | None] = mapped_column(index=True)
    password_hash: Mapped[str | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]

    @property
    def is_user(self) -> bool:
        return self.kind == AccountKind.USER

    @property
    def subject(self) -> str:
        """How the audit record names it."""
        return f"account:{self.name}"


class Role(Base):
    """Permission patterns under a name. `seeded` is what Roadbed itself gave it last; None for one made by people.

    `conditions` narrow permissions to some objects: CEL by the permission's name.
    """

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    permissions: Mapped[list[str]]
    conditions: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    seeded: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def is_built_in(self) -> bool:
        return self.seeded is not None

    @property
    def is_changed(self) -> bool:
        return self.seeded is not None and (self.permissions != self.seeded or bool(self.conditions))


class AccountRole(Base):
    __tablename__ = "account_roles"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), primary_key=True, index=True)


class Session(Base):
    """A browser that is signed in. `expires_at` moves on with use, up to `ends_at`."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    value_hash: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    address: Mapped[str | None]
    browser: Mapped[str]


class Token(Base):
    """What lets a program act as an account. `scopes` is None when the token may do all its account may."""

    __tablename__ = "tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    value_hash: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    hint: Mapped[str]
    scopes: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """A sign-in that failed or is being checked. Keys are digests: people type passwords into the name field."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_account_key_at", "account_key", "at"),
        Index("ix_sign_in_attempts_address_key_at", "address_key", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_key: Mapped[str]
    address_key: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
