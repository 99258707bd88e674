"""Page: the own tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, WriteSession, Writing
from roadbed.core.errors import Conflict, Forbidden, RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.idempotency import repeatable_form
from roadbed.identity import rules
from roadbed.identity.access import TOKEN_WRITE, SignedIn, TokenWriter, require_browser
from roadbed.identity.errors import InvalidToken
from roadbed.identity.schemas import NewTokenOut
from roadbed.identity.service import tokens
from roadbed.identity.service.roles import list_permissions
from roadbed.identity.web.forms import TokenForm
from roadbed.identity.web.parts import Field, errors_of, form_field, redirect, toasts
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

router = APIRouter()
SHOWN = 200
DAYS = (30, 90, 180, rules.MAX_TOKEN_DAYS)


@router.get("/account/tokens")
async def tokens_page(request: Request, session: Reading, actor: SignedIn, done: str | None = None) -> Response:
    """Show the own tokens, and the form for a new one."""
    may_write = session.services.get(DeciderService).has(actor, TOKEN_WRITE)
    fields = token_fields() if may_write else None
    context = {**await _context(session, actor, fields), "toasts": toasts(done)}
    return await render(request, "identity/tokens.html", context)


@router.post("/account/tokens")
async def create_token(
    request: Request,
    session: Writing,
    actor: TokenWriter,
    form: Annotated[TokenForm, Form()],
) -> Response:
    """Create a token, and show its value this once."""
    require_browser(actor)
    created: NewTokenOut | None = None
    error: RoadbedError | None = None
    try:
        created = await create_from(session, actor, form)
    except (InvalidToken, Conflict, Forbidden) as refused:
        error = refused
    fields = token_fields() if error is None else token_fields(name=form.name, scopes=form.scopes, days=form.days)
    errors = errors_of(error, fields, beside="scopes") if error else []
    context = await _context(session, actor, fields)
    status = status_of(error) if error else 200
    return await render(
        request, "identity/tokens.html", {**context, "created": created, "errors": errors}, status=status
    )


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(session: Writing, actor: TokenWriter, token_id: UUID) -> Response:
    """End an own token for good."""
    require_browser(actor)
    await tokens.revoke_token(session, actor, token_id)
    return redirect("/account/tokens?done=token")


def token_fields(*, name: str = "", scopes: str = "", days: int = rules.DEFAULT_TOKEN_DAYS) -> list[Field]:
    """Return the fields of the form for a new token. A form sent twice finds, by its key, the first one's token."""
    return [
        form_field("name", "Name", value=name, help="What will use it: laptop, ci.", attrs={"maxlength": 100}),
        form_field(
            "scopes",
            "Limit to permissions",
            "multiline",
            value=scopes,
            mono=True,
            is_required=False,
            help="One a line, as catalog.* or runs.run.read. Empty: all that the account may do.",
            attrs={"spellcheck": "false"},
        ),
        form_field(
            "days", "Ends after", "select", value=days, options=[{"value": n, "label": f"{n} days"} for n in DAYS]
        ),
        form_field("key", "", "hidden", value=str(new_id())),
    ]


async def create_from(
    session: WriteSession, actor: Actor, form: TokenForm, *, account_name: str | None = None
) -> NewTokenOut:
    """Create the token that a form asks for; the same form again finds it, without its value."""
    once = repeatable_form(session, actor, key=form.key, asked=["token", account_name, form.model_dump()])
    if known := await once.find(NewTokenOut):
        return known
    wish = tokens.TokenWish(form.name, tuple(form.scopes.split()) or None, form.days)
    token = await tokens.create_token(session, actor, wish, account_name=account_name)
    return await once.keep(NewTokenOut.model_validate(token), shown_once="value")


async def _context(session: ReadSession, actor: Actor, fields: list[Field] | None) -> dict[str, Any]:
    return {
        "tokens": await tokens.list_tokens(session, actor, account_name=None, limit=SHOWN),
        "fields": fields,
        "permissions": list_permissions(session),
        "created": None,
        "errors": [],
        "at": now(),
    }
