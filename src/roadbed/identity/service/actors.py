"""From an account to the actor that permission questions are asked about."""

from uuid import UUID

from roadbed.core.access import Permission
from roadbed.core.actor import Actor, ActorKind
from roadbed.core.db import ReadSession
from roadbed.identity import repository
from roadbed.identity.models import Account
from roadbed.identity.rules import covers, narrowing
from roadbed.identity.types import AccountKind, AccountView, UserSource


async def actor_of(
    session: ReadSession,
    account: Account,
    *,
    address: str | None = None,
    credential: str | None = None,
    scopes: list[str] | None = None,
) -> Actor:
    """Return `account` as an actor: with its roles, what they allow, and its groups in the catalog.

    Args:
        session: where roles and groups are read.
        account: who acts.
        address: from where.
        credential: by what, as `session:<id>` or `token:<id>`.
        scopes: what the token is limited to.
    """
    roles = await repository.list_roles_of(session, account.id)
    source = session.services.find(UserSource)
    groups, title = frozenset[str](), account.display_name
    if source is not None and account.entity_ref is not None:
        groups = await source.find_groups(session, account.entity_ref)
        if title == account.name:  # nobody gave another one
            title = await source.find_title(session, account.entity_ref) or title
    return Actor(
        kind=ActorKind(account.kind),
        id=str(account.id),
        name=account.name,
        roles=frozenset(role.name for role in roles),
        permissions=frozenset(pattern for role in roles for pattern in role.permissions),
        entity_ref=account.entity_ref,
        groups=groups,
        conditions=narrowing([(role.permissions, role.conditions) for role in roles]),
        scopes=None if scopes is None else frozenset(scopes),
        address=address,
        credential=credential,
        title=title,
    )


async def find_actor(session: ReadSession, account_id: UUID) -> Actor | None:
    """Return who a run or request was started by, as of now; None when the account is gone or disabled."""
    account = await repository.find_account(session, account_id)
    if account is None or account.is_disabled:
        return None
    return await actor_of(session, account)


async def find_account(session: ReadSession, name: str) -> AccountView | None:
    account = await repository.find_account_by_name(session, name)
    return None if account is None else view_of(account)


async def count_people_who_may(session: ReadSession, permission: Permission) -> int:
    """Count the people, not disabled, whose roles give them `permission`: four eyes need two of them."""
    roles = await repository.list_roles(session)
    giving = [role.name for role in roles if covers(role.permissions, permission.name)]
    return await repository.count_people_with_roles(session, giving)


def view_of(account: Account) -> AccountView:
    return AccountView(
        id=account.id,
        kind=AccountKind(account.kind),
        name=account.name,
        display_name=account.display_name,
        entity_ref=account.entity_ref,
        is_disabled=account.is_disabled,
    )
