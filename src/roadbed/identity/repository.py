"""Queries on accounts, roles, sessions, tokens and sign-in attempts."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.identity.models import Account, AccountRole, Role, Session, SignInAttempt, Token
from roadbed.identity.types import AccountKind


async def find_account(session: ReadSession, account_id: UUID) -> Account | None:
    return await session.get(Account, account_id)


async def lock_account(session: WriteSession, account_id: UUID) -> Account | None:
    """Return an account as it is now, and keep others from changing it: before its sessions, tokens and attempts."""
    found: Account | None = await session.scalar(locking(select(Account).where(Account.id == account_id)))
    return found


async def find_account_by_name(session: ReadSession, name: str) -> Account | None:
    account: Account | None = await session.scalar(select(Account).where(func.lower(Account.name) == name.lower()))
    return account


async def list_accounts(
    session: ReadSession,
    *,
    kind: AccountKind | None = None,
    text: str | None = None,
    before_id: UUID | None = None,
    limit: int,
) -> list[Account]:
    """List accounts, newest first, from below `before_id`; `text` stands anywhere in a name."""
    query = select(Account).order_by(Account.id.desc()).limit(limit)
    if kind:
        query = query.where(Account.kind == kind)
    if text:
        query = query.where(
            or_(Account.name.icontains(text, autoescape=True), Account.display_name.icontains(text, autoescape=True))
        )
    if before_id:
        query = query.where(Account.id < before_id)
    return list(await session.scalars(query))


async def has_accounts(session: ReadSession) -> bool:
    return bool(await session.scalar(select(select(Account.id).where(Account.kind == AccountKind.USER).exists())))


async def count_admins(session: ReadSession, *, role: str, but: UUID) -> int:
    """Count the people who have `role` and can sign in, leaving out one."""
    query = (
        select(func.count())
        .select_from(Account)
        .join(AccountRole, AccountRole.account_id == Account.id)
        .where(
            AccountRole.role == role,
            Account.kind == AccountKind.USER,
            ~Account.is_disabled,
            Account.id != but,
        )
    )
    return await session.scalar(query) or 0


async def count_people_with_roles(session: ReadSession, roles: Iterable[str]) -> int:
    """Count the people who have one of `roles` and can sign in."""
    query = (
        select(func.count(Account.id.distinct()))
        .join(AccountRole, AccountRole.account_id == Account.id)
        .where(AccountRole.role.in_(list(roles)), Account.kind == AccountKind.USER, ~Account.is_disabled)
    )
    return await session.scalar(query) or 0


async def list_roles(session: ReadSession) -> list[Role]:
    return list(await session.scalars(select(Role).order_by(Role.name)))


async def find_role(session: ReadSession, name: str) -> Role | None:
    return await session.get(Role, name)


async def list_roles_of(session: ReadSession, account_id: UUID) -> list[Role]:
    query = select(Role).join(AccountRole, AccountRole.role == Role.name).where(AccountRole.account_id == account_id)
    return list(await session.scalars(query.order_by(Role.name)))


async def list_role_names(session: ReadSession, account_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Give the names of the roles of each account."""
    names: dict[UUID, list[str]] = {account_id: [] for account_id in account_ids}
    query = select(AccountRole).where(AccountRole.account_id.in_(names)).order_by(AccountRole.role)
    for row in await session.scalars(query):
        names[row.account_id].append(row.role)
    return names


async def set_roles(session: WriteSession, account_id: UUID, roles: Iterable[str]) -> None:
    await session.execute(delete(AccountRole).where(AccountRole.account_id == account_id))
    session.add_all(AccountRole(account_id=account_id, role=role) for role in roles)
    await session.flush()


async def count_accounts_with_role(session: ReadSession, role: str) -> int:
    return await session.scalar(select(func.count()).select_from(AccountRole).where(AccountRole.role == role)) or 0


async def find_session(session: ReadSession, value_hash: str) -> tuple[Session, Account] | None:
    query = select(Session, Account).join(Account, Account.id == Session.account_id)
    row = (await session.execute(query.where(Session.value_hash == value_hash))).one_or_none()
    return (row[0], row[1]) if row else None


async def list_sessions(session: ReadSession, account_id: UUID, *, at: datetime) -> list[Session]:
    query = select(Session).where(Session.account_id == account_id, Session.expires_at > at)
    return list(await session.scalars(query.order_by(Session.last_seen_at.desc())))


async def touch_session(session: WriteSession, session_id: UUID, *, at: datetime, expires_at: datetime) -> None:
    await session.execute(
        update(Session).where(Session.id == session_id).values(last_seen_at=at, expires_at=expires_at)
    )


async def delete_session(session: WriteSession, session_id: UUID) -> None:
    await session.execute(delete(Session).where(Session.id == session_id))


async def delete_sessions(session: WriteSession, account_id: UUID, *, but: UUID | None = None) -> int:
    """Delete all sessions of an account but one, and return how many these were."""
    query = delete(Session).where(Session.account_id == account_id).returning(Session.id)
    if but:
        query = query.where(Session.id != but)
    return len(list(await session.scalars(query)))


async def find_token(session: ReadSession, value_hash: str) -> tuple[Token, Account] | None:
    query = select(Token, Account).join(Account, Account.id == Token.account_id)
    row = (await session.execute(query.where(Token.value_hash == value_hash))).one_or_none()
    return (row[0], row[1]) if row else None


async def find_token_by_id(session: ReadSession, token_id: UUID) -> tuple[Token, Account] | None:
    query = select(Token, Account).join(Account, Account.id == Token.account_id)
    row = (await session.execute(query.where(Token.id == token_id))).one_or_none()
    return (row[0], row[1]) if row else None


async def list_tokens(
    session: ReadSession, account_id: UUID, *, before_id: UUID | None = None, limit: int
) -> list[Token]:
    """List the tokens that are not revoked, expired ones too, newest first."""
    query = select(Token).where(Token.account_id == account_id, Token.revoked_at.is_(None))
    if before_id:
        query = query.where(Token.id < before_id)
    return list(await session.scalars(query.order_by(Token.id.desc()).limit(limit)))


async def touch_token(session: WriteSession, token_id: UUID, *, at: datetime) -> None:
    await session.execute(update(Token).where(Token.id == token_id).values(last_used_at=at))


async def touch_account(session: WriteSession, account_id: UUID, *, at: datetime) -> None:
    await session.execute(update(Account).where(Account.id == account_id).values(last_seen_at=at))


async def list_attempt_times(
    session: ReadSession, *, account_key: str | None = None, address_key: str | None = None, since: datetime, limit: int
) -> list[datetime]:
    """List the newest times at which an account, or an address, was tried."""
    query = select(SignInAttempt.at).where(SignInAttempt.at > since)
    if account_key is not None:
        query = query.where(SignInAttempt.account_key == account_key)
    if address_key is not None:
        query = query.where(SignInAttempt.address_key == address_key)
    return list(await session.scalars(query.order_by(SignInAttempt.at.desc()).limit(limit)))


async def delete_attempts(session: WriteSession, account_key: str) -> None:
    await session.execute(delete(SignInAttempt).where(SignInAttempt.account_key == account_key))


async def purge(session: WriteSession, *, at: datetime, attempts_before: datetime) -> None:
    """Delete sessions that have ended, and attempts that no longer count."""
    await session.execute(delete(Session).where(Session.expires_at <= at))
    await session.execute(delete(SignInAttempt).where(SignInAttempt.at < attempts_before))
