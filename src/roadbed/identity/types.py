"""What other domains see of accounts, and what the catalog tells this domain of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from roadbed.core.db import ReadSession


class AccountKind(StrEnum):
    USER = "user"
    SERVICE = "service"


@dataclass(frozen=True)
class AccountView:
    """An account as other domains see it. `entity_ref` is its User entity, which need not exist."""

    id: UUID
    kind: AccountKind
    name: str
    display_name: str
    entity_ref: str | None
    is_disabled: bool


@dataclass(frozen=True)
class NewToken:
    """A token that was just made. `value` is known here only."""

    id: UUID
    account: str
    name: str
    expires_at: datetime
    value: str = field(repr=False)


@dataclass(frozen=True)
class FirstStart:
    """What this start created, for the console. `password` is the one-time password of the account `admin`, or None."""

    account: str
    password: str | None = field(repr=False)


class FindGroups(Protocol):
    async def __call__(self, session: ReadSession, entity_ref: str) -> frozenset[str]: ...


class FindTitle(Protocol):
    async def __call__(self, session: ReadSession, entity_ref: str) -> str | None: ...


@dataclass(frozen=True)
class UserSource:
    """The box in which the catalog says what it knows of users, by their refs.

    Args:
        find_groups: the refs of the groups of a user, direct and through parents. It is asked on each request that is
            signed in, so the answer should come from an index.
        find_title: what a user is called; None when there is none.
    """

    find_groups: FindGroups
    find_title: FindTitle
