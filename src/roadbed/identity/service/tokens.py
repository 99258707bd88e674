"""Tokens: their creation within what the creator may do, and their end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.identity import repository, rules
from roadbed.identity.access import ACCOUNT_READ, ACCOUNT_WRITE
from roadbed.identity.errors import AccountNameTaken, BeyondOwn, InvalidToken, TokenNotFound
from roadbed.identity.models import Account, Token
from roadbed.identity.service.accounts import (
    AccountChange,
    AccountWish,
    change_account,
    create_account,
    get_account,
    own_account,
)
from roadbed.identity.service.known import forget_tokens
from roadbed.identity.service.roles import check_role_within_own, get_role, list_permissions
from roadbed.identity.types import AccountKind, NewToken
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id


@dataclass(frozen=True)
class TokenWish:
    """What a new token should be. `scopes` None means all that its account may do."""

    name: str
    scopes: tuple[str, ...] | None = None
    days: int = rules.DEFAULT_TOKEN_DAYS


async def create_token(
    session: WriteSession, actor: Actor, wish: TokenWish, *, account_name: str | None = None
) -> NewToken:
    """Create a token of the actor's own account, or of a program's.

    A token that creates another one passes on no more than it has: neither scopes nor time.

    Args:
        session: the transaction.
        actor: who does it.
        wish: what it should be.
        account_name: a program's account; needs the permission to manage accounts.

    Raises:
        InvalidToken, BeyondOwn, AccountNotFound, Forbidden: nothing is created.
    """
    account = await _account_for(session, actor, account_name)
    scopes = _effective_scopes(session, actor, wish)
    ends_at = await _end_of_creator(session, actor)
    token, value = _new_token(account, wish, scopes=scopes, created_by=actor.label)
    token.expires_at = min(token.expires_at, ends_at) if ends_at else token.expires_at
    session.add(token)
    await _record_created(session, actor, account, token)
    return NewToken(token.id, account.name, token.name, token.expires_at, value)


async def create_local_token(
    session: WriteSession, *, role: str = rules.ADMIN_ROLE, made_by: str, wish: TokenWish | None = None
) -> NewToken:
    """Create a token for who owns the home folder, and so could do anything to this Roadbed anyway.

    It belongs to the program's account `local-<role>`, which has that role alone and is made when first needed.

    Args:
        session: a transaction on the home folder's own database: reaching that is the proof of ownership.
        role: what the token allows.
        made_by: the name of the operating system's user, for the audit record.
        wish: what the token should be, when it is not to be like any other.

    Raises:
        RoleNotFound: there is no such role.
        InvalidToken: the wish is not one.
        AccountNameTaken: somebody gave that name to a person.
    """
    actor = system_actor("local")
    await get_role(session, role)
    name = f"local-{role}"
    account = await repository.find_account_by_name(session, name)
    if account is None:
        title = f"Owner of the home folder, as {role}"
        made = AccountWish(name, AccountKind.SERVICE, display_name=title, roles=(role,))
        account = (await create_account(session, actor, made)).account
    elif account.is_user:
        raise AccountNameTaken(f"The account {name} is a person's.", hint="Ask for another role.")
    elif account.is_disabled or [known.name for known in await repository.list_roles_of(session, account.id)] != [role]:
        await change_account(session, actor, name, AccountChange(roles=(role,), is_disabled=False))
    wish = wish or TokenWish(f"made by {made_by}"[:100])
    _check_wish(session, wish)
    token, value = _new_token(account, wish, scopes=wish.scopes, created_by=actor.label)
    session.add(token)
    await _record_created(session, actor, account, token, made_by=made_by)
    return NewToken(token.id, account.name, token.name, token.expires_at, value)


async def list_tokens(
    session: ReadSession, actor: Actor, *, account_name: str | None, before_id: UUID | None = None, limit: int
) -> list[Token]:
    """List the actor's own tokens, or another account's for those who may see accounts."""
    if account_name is None or account_name.lower() == actor.name.lower():
        account = await own_account(session, actor)
    else:
        session.services.get(DeciderService).require(actor, ACCOUNT_READ)
        account = await get_account(session, account_name)
    return await repository.list_tokens(session, account.id, before_id=before_id, limit=limit)


async def revoke_token(session: WriteSession, actor: Actor, token_id: UUID) -> Token:
    """End a token for good: an own one, or any for those who manage accounts.

    Raises:
        TokenNotFound: there is none, it is revoked already, or it is somebody else's.
    """
    found = await repository.find_token_by_id(session, token_id)
    may_any = session.services.get(DeciderService).has(actor, ACCOUNT_WRITE)
    if found is None or found[0].revoked_at is not None or not (may_any or str(found[1].id) == actor.id):
        raise TokenNotFound(f"You have no token {token_id}.", hint="GET /api/v1/tokens lists your tokens.")
    token, account = found
    token.revoked_at = now()
    forget_tokens(session)
    await record(
        session,
        actor,
        action="identity.token_revoked",
        subject=f"token:{token.id}",
        account=account.name,
        name=token.name,
    )
    return token


async def _account_for(session: ReadSession, actor: Actor, account_name: str | None) -> Account:
    if account_name is None or account_name.lower() == actor.name.lower():
        return await own_account(session, actor)
    session.services.get(DeciderService).require(actor, ACCOUNT_WRITE)
    account = await get_account(session, account_name)
    if account.is_user:
        raise InvalidToken(
            f"{account.name} is a person, and makes their own tokens.",
            hint="Make the token for a program's account, one of kind service.",
        )
    for role in await repository.list_roles_of(session, account.id):
        check_role_within_own(actor, role)
    return account


def _effective_scopes(session: ReadSession, actor: Actor, wish: TokenWish) -> list[str] | None:
    """Return the scopes of the new token: those wished for, within those of the token that asks."""
    _check_wish(session, wish)
    if wish.scopes is None:
        return None if actor.scopes is None else sorted(actor.scopes)
    beyond = sorted(
        scope for scope in wish.scopes if actor.scopes is not None and not rules.covers(actor.scopes, scope)
    )
    if beyond:
        raise BeyondOwn(
            f"This token cannot pass on {', '.join(beyond)}: it is limited to {', '.join(sorted(actor.scopes or ()))}.",
            hint="Sign in, or use a token without scopes.",
            patterns=beyond,
        )
    return sorted(set(wish.scopes))


def _check_wish(session: ReadSession, wish: TokenWish) -> None:
    faults = _find_faults(session, wish)
    if faults:
        raise InvalidToken(f"The token is not valid: {'; '.join(faults)}.", hint=None, problems=faults)


def _find_faults(session: ReadSession, wish: TokenWish) -> list[str]:
    faults = []
    if not 1 <= len(wish.name.strip()) <= 100:
        faults.append("name: 1 to 100 characters, that tell what the token is for")
    if not 1 <= wish.days <= rules.MAX_TOKEN_DAYS:
        faults.append(f"expires_in_days: 1 to {rules.MAX_TOKEN_DAYS}")
    if wish.scopes is not None and not wish.scopes:
        faults.append("scopes: leave it out for all that the account may do, or name at least one")
    names = [permission.name for permission in list_permissions(session)]
    faults += [f"scopes: {fault}" for scope in wish.scopes or () if (fault := rules.find_pattern_fault(scope, names))]
    return faults


async def _end_of_creator(session: ReadSession, actor: Actor) -> datetime | None:
    kind, _, token_id = (actor.credential or "").partition(":")
    found = await repository.find_token_by_id(session, UUID(token_id)) if kind == "token" else None
    return found[0].expires_at if found else None


def _new_token(
    account: Account, wish: TokenWish, *, scopes: Sequence[str] | None, created_by: str
) -> tuple[Token, str]:
    value, at = rules.new_token_value(), now()
    token = Token(
        id=new_id(),
        value_hash=rules.value_hash(value),
        account_id=account.id,
        name=wish.name.strip(),
        hint=f"{value[:8]}…",
        scopes=None if scopes is None else sorted(set(scopes)),
        created_by=created_by,
        created_at=at,
        expires_at=at + timedelta(days=wish.days),
        last_used_at=None,
        revoked_at=None,
    )
    return token, value


async def _record_created(session: WriteSession, actor: Actor, account: Account, token: Token, **detail: str) -> None:
    scopes: Iterable[str] | None = token.scopes
    await record(
        session,
        actor,
        action="identity.token_created",
        subject=f"token:{token.id}",
        account=account.name,
        name=token.name,
        scopes=scopes,
        expires_at=token.expires_at.isoformat(),
        **detail,
    )
