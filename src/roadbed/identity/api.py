"""REST: who am I, tokens, accounts, roles."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from roadbed.core.access import DeciderService
from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.identity import repository
from roadbed.identity.access import AccountReader, AccountWriter, RoleReader, RoleWriter, SignedIn, TokenWriter
from roadbed.identity.models import Account
from roadbed.identity.schemas import (
    AccountIn,
    AccountOut,
    AccountPageOut,
    AccountPatch,
    AccountQuery,
    AccountResultOut,
    MeOut,
    NewTokenOut,
    RoleIn,
    RoleListOut,
    RoleOut,
    TokenIn,
    TokenOut,
    TokenPageOut,
    TokenQuery,
)
from roadbed.identity.service import accounts, roles, tokens

router = APIRouter(tags=["identity"])


@router.get("/me")
async def get_me(request: Request, session: Reading, actor: SignedIn) -> MeOut:
    """Tell who is signed in, and what they may do."""
    decider: DeciderService = request.app.state.services.get(DeciderService)
    return MeOut(
        id=UUID(actor.id),
        kind=actor.kind,
        name=actor.name,
        entity_ref=actor.entity_ref,
        groups=sorted(actor.groups),
        roles=sorted(actor.roles),
        permissions=[found.name for found in roles.list_permissions(session) if decider.has(actor, found)],
        scopes=None if actor.scopes is None else sorted(actor.scopes),
    )


@router.post("/tokens", status_code=201)
async def create_token(session: Writing, actor: TokenWriter, body: TokenIn, once: Once) -> NewTokenOut:
    """Create a token. Its value is in this answer and nowhere else."""
    if known := await once.find(NewTokenOut):
        return known
    wish = tokens.TokenWish(body.name, None if body.scopes is None else tuple(body.scopes), days=body.expires_in_days)
    token = await tokens.create_token(session, actor, wish, account_name=body.account)
    return await once.keep(NewTokenOut.model_validate(token), shown_once="value")


@router.get("/tokens")
async def list_tokens(session: Reading, actor: SignedIn, query: Annotated[TokenQuery, Query()]) -> TokenPageOut:
    """List tokens that are not revoked, newest first."""
    found = await tokens.list_tokens(
        session,
        actor,
        account_name=query.account,
        before_id=id_of_cursor(query.cursor),
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    return TokenPageOut(
        items=[TokenOut.model_validate(token) for token in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(session: Writing, actor: TokenWriter, token_id: UUID) -> None:
    """End a token for good."""
    await tokens.revoke_token(session, actor, token_id)


@router.get("/accounts")
async def list_accounts(session: Reading, _: AccountReader, query: Annotated[AccountQuery, Query()]) -> AccountPageOut:
    """List accounts, newest first."""
    found = await repository.list_accounts(
        session, kind=query.kind, text=query.q, before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    names = await repository.list_role_names(session, [account.id for account in shown])
    return AccountPageOut(
        items=[AccountOut.model_validate(_fields(account, names[account.id])) for account in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.post("/accounts", status_code=201)
async def create_account(session: Writing, actor: AccountWriter, body: AccountIn, once: Once) -> AccountResultOut:
    """Create an account. A person's has a one-time password, which is in this answer and nowhere else."""
    if known := await once.find(AccountResultOut):
        return known
    wish = accounts.AccountWish(body.name, body.kind, body.display_name, body.entity_ref, tuple(body.roles))
    created = _result_out(await accounts.create_account(session, actor, wish))
    return await once.keep(created, shown_once="one_time_password")


@router.get("/accounts/{name}")
async def get_account(session: Reading, _: AccountReader, name: str) -> AccountOut:
    """Return one account."""
    account = await accounts.get_account(session, name)
    names = await repository.list_role_names(session, [account.id])
    return AccountOut.model_validate(_fields(account, names[account.id]))


@router.patch("/accounts/{name}")
async def change_account(session: Writing, actor: AccountWriter, name: str, body: AccountPatch) -> AccountResultOut:
    """Change an account: its roles, its link to the catalog, whether it can be used, its password."""
    change = accounts.AccountChange(
        display_name=body.display_name,
        entity_ref=body.entity_ref,
        roles=None if body.roles is None else tuple(body.roles),
        is_disabled=body.is_disabled,
        resets_password=body.reset_password,
    )
    return _result_out(await accounts.change_account(session, actor, name, change))


@router.get("/roles")
async def list_roles(session: Reading, _: RoleReader) -> RoleListOut:
    """List roles and what they allow."""
    return RoleListOut(items=[RoleOut.model_validate(role) for role in await repository.list_roles(session)])


@router.get("/roles/{name}")
async def get_role(session: Reading, _: RoleReader, name: str) -> RoleOut:
    """Return one role."""
    return RoleOut.model_validate(await roles.get_role(session, name))


@router.put("/roles/{name}", responses={201: {"model": RoleOut}})
async def put_role(session: Writing, actor: RoleWriter, name: str, body: RoleIn, response: Response) -> RoleOut:
    """Create a role, or change what it allows."""
    wish = roles.RoleWish(body.title, body.permissions, body.conditions)
    role, is_new = await roles.put_role(session, actor, name, wish)
    response.status_code = 201 if is_new else 200
    return RoleOut.model_validate(role)


@router.delete("/roles/{name}", status_code=204)
async def delete_role(session: Writing, actor: RoleWriter, name: str) -> None:
    """Delete a role that nobody has."""
    await roles.delete_role(session, actor, name)


def _fields(account: Account, role_names: list[str]) -> dict[str, Any]:
    return {
        "id": account.id,
        "kind": account.kind,
        "name": account.name,
        "display_name": account.display_name,
        "entity_ref": account.entity_ref,
        "roles": role_names,
        "is_disabled": account.is_disabled,
        "must_change_password": account.must_change_password,
        "created_at": account.created_at,
        "last_seen_at": account.last_seen_at,
    }


def _result_out(result: accounts.AccountResult) -> AccountResultOut:
    fields = _fields(result.account, result.roles)
    return AccountResultOut.model_validate({**fields, "one_time_password": result.one_time_password})
