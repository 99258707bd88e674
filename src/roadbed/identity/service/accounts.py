"""Accounts: the first admin, new ones, and changes by those who manage them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.identity import repository, rules
from roadbed.identity.errors import AccountNameTaken, AccountNotFound, InvalidAccount, LastAdmin
from roadbed.identity.models import Account
from roadbed.identity.service.known import forget_tokens
from roadbed.identity.service.passwords import hash_password
from roadbed.identity.service.roles import check_role_within_own
from roadbed.identity.types import AccountKind, UserSource
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.refs import InvalidRef, parse_ref

FIRST_ADMIN = "admin"
LOCK = "identity.accounts"


@dataclass(frozen=True)
class AccountWish:
    """What a new account should be. `entity_ref` None means `user:default/<name>` for a person, none for a program."""

    name: str
    kind: AccountKind = AccountKind.USER
    display_name: str = ""
    entity_ref: str | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccountChange:
    """What should become different; None leaves a value as it is, an empty `entity_ref` removes the link."""

    display_name: str | None = None
    entity_ref: str | None = None
    roles: tuple[str, ...] | None = None
    is_disabled: bool | None = None
    resets_password: bool = False


@dataclass(frozen=True)
class AccountResult:
    """An account after a change. `one_time_password` is known here only."""

    account: Account
    roles: list[str]
    one_time_password: str | None = field(default=None, repr=False)


async def ensure_admin(session: WriteSession) -> str | None:
    """Create the account `admin` when there is no person's account yet; return its one-time password."""
    await lock_transaction(session, LOCK)
    if await repository.has_accounts(session):
        return None
    password = rules.new_one_time_password()
    account = _new_account(AccountWish(FIRST_ADMIN, display_name="Admin"), f"user:default/{FIRST_ADMIN}")
    account.password_hash = await hash_password(password)
    account.must_change_password = True
    session.add(account)
    await session.flush()
    await repository.set_roles(session, account.id, [rules.ADMIN_ROLE])
    await record(
        session, system_actor("identity"), action="identity.account_created", subject=account.subject, roles=["admin"]
    )
    return password


async def get_account(session: ReadSession, name: str) -> Account:
    """Return an account.

    Raises:
        AccountNotFound: there is none of that name.
    """
    account = await repository.find_account_by_name(session, name)
    if account is None:
        raise AccountNotFound(f"There is no account {name!r}.", hint="GET /api/v1/accounts lists all accounts.")
    return account


async def own_account(session: ReadSession, actor: Actor) -> Account:
    """Return the account of who is signed in."""
    account = await repository.find_account(session, UUID(actor.id))
    if account is None:
        raise AccountNotFound("Your account has been deleted.", hint="Ask an admin for a new one.")
    return account


async def is_known(session: ReadSession, account: Account) -> bool:
    """Tell whether the catalog has the User that an account is linked to."""
    source = session.services.find(UserSource)
    if source is None or account.entity_ref is None:
        return False
    return await source.find_title(session, account.entity_ref) is not None


async def create_account(session: WriteSession, actor: Actor, wish: AccountWish) -> AccountResult:
    """Create an account; a person's gets a one-time password, to be changed at the first sign-in.

    Args:
        session: the transaction.
        actor: who does it; cannot give a role that allows more than they may do.
        wish: what it should be.

    Raises:
        InvalidAccount, AccountNameTaken, BeyondOwn: nothing is created.
    """
    await lock_transaction(session, LOCK)
    entity_ref = wish.entity_ref
    if entity_ref is None and wish.kind is AccountKind.USER:
        entity_ref = f"user:default/{wish.name.lower()}"
    _check_fields(wish.name, entity_ref)
    if await repository.find_account_by_name(session, wish.name) is not None:
        raise AccountNameTaken(f"There is an account {wish.name!r} already.", hint="Choose another name.")
    await _check_roles(session, actor, wish.roles)
    account = _new_account(wish, entity_ref)
    password = None
    if account.is_user:
        password = rules.new_one_time_password()
        account.password_hash = await hash_password(password)
        account.must_change_password = True
    session.add(account)
    await session.flush()
    await repository.set_roles(session, account.id, sorted(set(wish.roles)))
    result = await _result(session, account, password)
    await record(
        session,
        actor,
        action="identity.account_created",
        subject=account.subject,
        after=_state(result),
        roles=result.roles,
    )
    return result


async def change_account(session: WriteSession, actor: Actor, name: str, change: AccountChange) -> AccountResult:
    """Change an account as those who manage accounts do. Disabling it or resetting its password ends its sessions.

    Raises:
        AccountNotFound, InvalidAccount: nothing is changed.
        BeyondOwn: the account may do more than the actor, or would.
        LastAdmin: nobody would be left who may do everything.
    """
    await lock_transaction(session, LOCK)
    account = await get_account(session, name)
    await repository.lock_account(session, account.id)
    before = await _result(session, account)
    if change.entity_ref:
        _check_fields(account.name, change.entity_ref)
    if change.resets_password and not account.is_user:
        raise InvalidAccount(f"{account.name} is a program's account and has no password.", hint="Make a token for it.")
    await _check_roles(session, actor, [*before.roles, *(change.roles or ())])
    await _check_admin_stays(session, account, before.roles, change)
    password = await _apply(session, account, change)
    forget_tokens(session)
    result = await _result(session, account, password)
    await record(
        session,
        actor,
        action="identity.account_changed",
        subject=account.subject,
        before=_state(before),
        after=_state(result),
        changed=_changed(change),
    )
    return result


async def rename_self(session: WriteSession, actor: Actor, display_name: str) -> None:
    """Change how the own account is shown."""
    account = await own_account(session, actor)
    before, account.display_name = account.display_name, display_name.strip()[:100] or account.name
    await record(
        session,
        actor,
        action="identity.account_changed",
        subject=account.subject,
        before=before,
        after=account.display_name,
        changed=["display_name"],
    )


async def _apply(session: WriteSession, account: Account, change: AccountChange) -> str | None:
    if change.display_name is not None:
        account.display_name = change.display_name.strip() or account.name
    if change.entity_ref is not None:
        account.entity_ref = change.entity_ref.lower() or None
    if change.roles is not None:
        await repository.set_roles(session, account.id, sorted(set(change.roles)))
    if change.is_disabled is not None:
        account.is_disabled = change.is_disabled
    password = None
    if change.resets_password:
        password = rules.new_one_time_password()
        account.password_hash = await hash_password(password)
        account.must_change_password = True
    if account.is_disabled or change.resets_password:
        await repository.delete_sessions(session, account.id)
    if change.resets_password:
        await repository.delete_attempts(session, rules.account_key(account.name))
    await session.flush()
    return password


async def _check_roles(session: ReadSession, actor: Actor, roles: Iterable[str]) -> None:
    known = {role.name: role for role in await repository.list_roles(session)}
    unknown = sorted(set(roles) - set(known))
    if unknown:
        raise InvalidAccount(
            f"There is no role {', '.join(unknown)}.",
            hint=f"Roles are {', '.join(known)}.",
            problems=[f"roles: {name} does not exist" for name in unknown],
        )
    for name in sorted(set(roles)):
        check_role_within_own(actor, known[name])


async def _check_admin_stays(session: ReadSession, account: Account, roles: list[str], change: AccountChange) -> None:
    leaves = change.is_disabled is True or (change.roles is not None and rules.ADMIN_ROLE not in change.roles)
    if not leaves or not account.is_user or rules.ADMIN_ROLE not in roles:
        return
    if not await repository.count_admins(session, role=rules.ADMIN_ROLE, but=account.id):
        raise LastAdmin(
            f"{account.name} is the last person with the role {rules.ADMIN_ROLE}.",
            hint="Give somebody else the role first.",
        )


def _new_account(wish: AccountWish, entity_ref: str | None) -> Account:
    return Account(
        id=new_id(),
        kind=wish.kind,
        name=wish.name,
        display_name=wish.display_name.strip() or wish.name,
        entity_ref=entity_ref.lower() if entity_ref else None,
        password_hash=None,
        must_change_password=False,
        is_disabled=False,
        created_at=now(),
        last_seen_at=None,
    )


def _check_fields(name: str, entity_ref: str | None) -> None:
    problems = []
    fault = rules.find_name_fault(name)
    if fault:
        problems.append(f"name: {fault}")
    if entity_ref:
        try:
            if parse_ref(entity_ref).kind.lower() != "user":
                problems.append("entity_ref: must be a ref of a User, as user:default/ada")
        except InvalidRef as error:
            problems.append(f"entity_ref: {error}")
    if problems:
        raise InvalidAccount(f"The account {name!r} is not valid: {'; '.join(problems)}.", hint=None, problems=problems)


async def _result(session: ReadSession, account: Account, password: str | None = None) -> AccountResult:
    names = await repository.list_role_names(session, [account.id])
    return AccountResult(account, names[account.id], password)


def _state(result: AccountResult) -> dict[str, Any]:
    account = result.account
    return {
        "kind": account.kind,
        "display_name": account.display_name,
        "entity_ref": account.entity_ref,
        "is_disabled": account.is_disabled,
        "roles": result.roles,
    }


def _changed(change: AccountChange) -> list[str]:
    names = {
        "display_name": change.display_name is not None,
        "entity_ref": change.entity_ref is not None,
        "roles": change.roles is not None,
        "is_disabled": change.is_disabled is not None,
        "password": change.resets_password,
    }
    return [name for name, is_changed in names.items() if is_changed]
