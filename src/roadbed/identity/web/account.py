"""Page: the own account, with password, theme and sessions."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from roadbed.core.db import Reading, Writing
from roadbed.core.errors import RoadbedError, TooMany, Unauthenticated
from roadbed.core.html import THEME_COOKIE, render
from roadbed.core.http.problems import status_of
from roadbed.identity.access import SignedIn, require_browser
from roadbed.identity.errors import PasswordTooWeak
from roadbed.identity.service import accounts, sign_in
from roadbed.identity.web.parts import Db, Field, form_field, redirect, set_session_cookie, toasts, visitor_of
from roadbed.identity.web.sign_in import new_password_fields

router = APIRouter()

Text = Annotated[str, Form()]
THEME_SECONDS = 365 * 86_400


@router.get("/account")
async def account_page(request: Request, session: Reading, actor: SignedIn, done: str | None = None) -> Response:
    """Show who one is, where one is signed in, and how the pages look."""
    account = await accounts.own_account(session, actor)
    context = {
        "account": account,
        "groups": sorted(actor.groups),
        "is_known": await accounts.is_known(session, account),
        "roles": sorted(actor.roles),
        "sessions": await sign_in.list_sessions(session, actor),
        "present": (actor.credential or "").removeprefix("session:"),
        "name_field": form_field("display_name", "Shown as", value=account.display_name, attrs={"maxlength": 100}),
        "toasts": toasts(done),
    }
    return await render(request, "identity/account.html", context)


@router.post("/account/name")
async def change_name(session: Writing, actor: SignedIn, display_name: Text = "") -> Response:
    """Change how the own account is shown."""
    require_browser(actor)
    await accounts.rename_self(session, actor, display_name)
    return redirect("/account?done=name")


@router.get("/account/password")
async def password_page(request: Request, actor: SignedIn) -> Response:
    """Ask for the present and a new password."""
    require_browser(actor)
    return await _password_form(request)


@router.post("/account/password")
async def change_password(
    request: Request, database: Db, actor: SignedIn, current: Text = "", password: Text = "", repeated: Text = ""
) -> Response:
    """Set a new password; all other sessions end and this one begins anew."""
    require_browser(actor)
    if password != repeated:
        return await _password_form(request, repeated="This is not the same password.")
    try:
        signed_in = await sign_in.change_password(
            database, actor, current=current, password=password, visitor=visitor_of(request)
        )
    except PasswordTooWeak as error:
        return await _password_form(request, password=" ".join(error.problems) or error.message)
    except (Unauthenticated, TooMany) as error:
        return await _password_form(request, current=error)
    response = redirect("/account?done=password")
    set_session_cookie(request, response, signed_in.value)
    return response


@router.post("/account/theme")
async def change_theme(actor: SignedIn, theme: Annotated[Literal["light", "dark", "system"], Form()]) -> Response:
    """Choose the theme of this browser."""
    require_browser(actor)
    response = redirect("/account?done=theme")
    if theme == "system":
        response.delete_cookie(THEME_COOKIE)
    else:
        response.set_cookie(THEME_COOKIE, theme, max_age=THEME_SECONDS, samesite="lax")
    return response


@router.post("/account/sessions/end")
async def end_other_sessions(session: Writing, actor: SignedIn) -> Response:
    """End all own sessions but this one."""
    require_browser(actor)
    await sign_in.end_other_sessions(session, actor)
    return redirect("/account?done=sessions")


@router.post("/account/sessions/{session_id}/end")
async def end_session(session: Writing, actor: SignedIn, session_id: UUID) -> Response:
    """End one own session."""
    require_browser(actor)
    await sign_in.end_session(session, actor, session_id)
    return redirect("/account?done=session")


async def _password_form(
    request: Request,
    *,
    current: RoadbedError | None = None,
    password: str | None = None,
    repeated: str | None = None,
) -> Response:
    present: Field = form_field("current", "Present password", "secret", attrs={"autocomplete": "current-password"})
    status = 422 if password or repeated else 200
    if current is not None:
        is_wrong = isinstance(current, Unauthenticated)
        message = "This is not your present password." if is_wrong else f"{current.message} {current.hint or ''}"
        present["error"] = {"message": message}
        status = 422 if is_wrong else status_of(current)
    fields = [present, *new_password_fields(password=password, repeated=repeated)]
    return await render(request, "identity/password.html", {"fields": fields}, status=status)
