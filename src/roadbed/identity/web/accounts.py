"""Pages for those who manage accounts: the list, a new one, one of them."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, WriteSession, Writing
from roadbed.core.errors import Conflict, Forbidden, Invalid, RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.idempotency import repeatable_form
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.identity import repository
from roadbed.identity.access import ACCOUNT_WRITE, AccountReader, AccountWriter, require_browser
from roadbed.identity.schemas import AccountQuery, NewTokenOut
from roadbed.identity.service import accounts, tokens
from roadbed.identity.service.roles import list_permissions
from roadbed.identity.types import AccountKind
from roadbed.identity.web.forms import AccountForm, NewAccountForm, TokenForm
from roadbed.identity.web.parts import Field, errors_of, form_field, redirect, toasts
from roadbed.identity.web.tokens import create_from, token_fields
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

router = APIRouter(prefix="/platform/accounts")
SHOWN_TOKENS = 200


@dataclass(frozen=True)
class Outcome:
    """What a form on the account's page led to: a note, something shown once, or what was wrong."""

    done: str | None = None
    password: str | None = field(default=None, repr=False)
    created: NewTokenOut | None = None
    error: RoadbedError | None = None


class Made(BaseModel):
    """An account that was just created, and the password that is shown once."""

    name: str
    one_time_password: str | None


@router.get("")
async def accounts_page(
    request: Request, session: Reading, actor: AccountReader, query: Annotated[AccountQuery, Query()]
) -> Response:
    """List accounts, newest first."""
    found = await repository.list_accounts(
        session, kind=query.kind, text=query.q, before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    context = {
        "accounts": shown,
        "roles": await repository.list_role_names(session, [account.id for account in shown]),
        "query": query,
        "next_cursor": id_cursor(shown[-1].id) if len(found) > query.limit else None,
        "may_write": session.services.get(DeciderService).has(actor, ACCOUNT_WRITE),
    }
    return await render(request, "identity/accounts.html", context)


@router.get("/new")
async def new_account_page(request: Request, session: Reading, _: AccountWriter) -> Response:
    """Ask what the new account should be."""
    return await render(request, "identity/new_account.html", {"fields": await _new_fields(session), "errors": []})


@router.post("/new")
async def create_account(
    request: Request,
    session: Writing,
    actor: AccountWriter,
    form: Annotated[NewAccountForm, Form()],
) -> Response:
    """Create an account, and show a person's one-time password this once."""
    require_browser(actor)
    try:
        made = await _create(session, actor, form)
    except (Invalid, Conflict, Forbidden) as error:
        fields = await _new_fields(session, form)
        context = {"fields": fields, "errors": errors_of(error, fields, beside="name")}
        return await render(request, "identity/new_account.html", context, status=status_of(error))
    return await _account_page(request, session, actor, made.name, Outcome(password=made.one_time_password))


@router.get("/{name}")
async def account_page(
    request: Request, session: Reading, actor: AccountReader, name: str, done: str | None = None
) -> Response:
    """Show one account: what it may do, and its tokens."""
    return await _account_page(request, session, actor, name, Outcome(done=done))


@router.post("/{name}")
async def change_account(
    request: Request, session: Writing, actor: AccountWriter, name: str, form: Annotated[AccountForm, Form()]
) -> Response:
    """Change how an account is shown, its link to the catalog and its roles."""
    require_browser(actor)
    change = accounts.AccountChange(
        display_name=form.display_name, entity_ref=form.entity_ref.strip(), roles=tuple(form.roles)
    )
    return await _change(request, session, actor, name, change)


@router.post("/{name}/disable")
async def disable_account(request: Request, session: Writing, actor: AccountWriter, name: str) -> Response:
    """Keep an account from signing in and its tokens from working."""
    require_browser(actor)
    return await _change(request, session, actor, name, accounts.AccountChange(is_disabled=True))


@router.post("/{name}/enable")
async def enable_account(request: Request, session: Writing, actor: AccountWriter, name: str) -> Response:
    """Let an account sign in again."""
    require_browser(actor)
    return await _change(request, session, actor, name, accounts.AccountChange(is_disabled=False))


@router.post("/{name}/reset-password")
async def reset_password(request: Request, session: Writing, actor: AccountWriter, name: str) -> Response:
    """Give a person a one-time password, shown this once, and end their sessions."""
    require_browser(actor)
    result = await accounts.change_account(session, actor, name, accounts.AccountChange(resets_password=True))
    return await _account_page(request, session, actor, name, Outcome(password=result.one_time_password))


@router.post("/{name}/tokens")
async def create_token(
    request: Request, session: Writing, actor: AccountWriter, name: str, form: Annotated[TokenForm, Form()]
) -> Response:
    """Create a token of a program's account, and show its value this once."""
    require_browser(actor)
    try:
        created = await create_from(session, actor, form, account_name=name)
    except (Invalid, Conflict, Forbidden) as error:
        return await _account_page(request, session, actor, name, Outcome(error=error))
    return await _account_page(request, session, actor, name, Outcome(created=created))


@router.post("/{name}/tokens/{token_id}/revoke")
async def revoke_token(session: Writing, actor: AccountWriter, name: str, token_id: UUID) -> Response:
    """End a token for good."""
    require_browser(actor)
    account = await accounts.get_account(session, name)
    await tokens.revoke_token(session, actor, token_id)
    return redirect(f"/platform/accounts/{account.name}?done=token")


async def _create(session: WriteSession, actor: Actor, form: NewAccountForm) -> Made:
    """Create the account that a form asks for; the same form again finds it, without its password."""
    once = repeatable_form(session, actor, key=form.key, asked=["account", form.model_dump()])
    if known := await once.find(Made):
        return known
    wish = accounts.AccountWish(
        form.name.strip(), form.kind, form.display_name, form.entity_ref.strip() or None, tuple(form.roles)
    )
    result = await accounts.create_account(session, actor, wish)
    made = Made(name=result.account.name, one_time_password=result.one_time_password)
    return await once.keep(made, shown_once="one_time_password")


async def _change(
    request: Request, session: WriteSession, actor: Actor, name: str, change: accounts.AccountChange
) -> Response:
    try:
        result = await accounts.change_account(session, actor, name, change)
    except (Invalid, Conflict, Forbidden) as error:
        return await _account_page(request, session, actor, name, Outcome(error=error))
    return redirect(f"/platform/accounts/{result.account.name}?done=account")


async def _account_page(request: Request, session: ReadSession, actor: Actor, name: str, outcome: Outcome) -> Response:
    account = await accounts.get_account(session, name)
    roles = (await repository.list_role_names(session, [account.id]))[account.id]
    may_write = session.services.get(DeciderService).has(actor, ACCOUNT_WRITE)
    fields = await _fields(
        session,
        AccountForm(display_name=account.display_name, entity_ref=account.entity_ref or "", roles=roles),
        account.kind,
    )
    makes_tokens = may_write and not account.is_user and not account.is_disabled
    new_token = token_fields() if makes_tokens else []
    context = {
        "account": account,
        "roles": roles,
        "fields": fields,
        "token_fields": new_token,
        "errors": errors_of(outcome.error, [*fields, *new_token], beside="roles") if outcome.error else [],
        "tokens": await repository.list_tokens(session, account.id, limit=SHOWN_TOKENS),
        "permissions": list_permissions(session),
        "created": outcome.created,
        "one_time_password": outcome.password,
        "may_write": may_write,
        "at": now(),
        "toasts": toasts(outcome.done),
    }
    status = status_of(outcome.error) if outcome.error else 200
    return await render(request, "identity/account_of.html", context, status=status)


async def _new_fields(session: ReadSession, form: NewAccountForm | None = None) -> list[Field]:
    form = form or NewAccountForm()
    kinds = [
        {"value": AccountKind.USER, "label": "A person", "description": "Signs in with a password."},
        {"value": AccountKind.SERVICE, "label": "A program", "description": "Has tokens and no password."},
    ]
    attrs = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "maxlength": 63}
    return [
        form_field("name", "Name", value=form.name, help="To sign in with; it cannot be changed.", attrs=attrs),
        form_field("kind", "For", "choice", value=form.kind, options=kinds),
        *await _fields(session, form, form.kind),
        form_field("key", "", "hidden", value=str(new_id())),
    ]


async def _fields(session: ReadSession, form: AccountForm, kind: str) -> list[Field]:
    roles = await repository.list_roles(session)
    help_text = "The User entity in the catalog; the groups of a person come from there."
    return [
        form_field("display_name", "Shown as", value=form.display_name, is_required=False, attrs={"maxlength": 100}),
        form_field(
            "entity_ref",
            "Catalog entity",
            value=form.entity_ref,
            mono=True,
            is_required=False,
            help=help_text if kind == AccountKind.USER else "A User entity, if the program acts for one.",
            placeholder="user:default/ada",
        ),
        form_field(
            "roles",
            "Roles",
            "checkboxes",
            value=form.roles,
            is_required=False,
            options=[{"value": role.name, "label": role.title} for role in roles],
        ),
    ]
