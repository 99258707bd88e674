"""Pages: signing in, choosing a password after a one-time password, signing out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.db import Reading, Writing
from roadbed.core.errors import Forbidden, RoadbedError, TooMany, Unauthenticated
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.identity import rules
from roadbed.identity.access import SigningIn, SigningOut
from roadbed.identity.errors import PasswordChangeExpired, PasswordTooWeak
from roadbed.identity.service import sign_in as service
from roadbed.identity.web.parts import Db, Field, form_field, redirect, set_session_cookie, visitor_of

router = APIRouter()
PASSWORD_PAGE = "/sign-in/password"  # noqa: S105 - an address

Text = Annotated[str, Form()]


@router.get("/sign-in")
async def sign_in_page(request: Request, session: Reading, actor: SigningIn, next: str = "/") -> Response:  # noqa: A002 - the parameter's name in the address
    """Ask for name and password; who is signed in already goes on."""
    target = rules.local_path(next)
    if actor.is_authenticated:
        return redirect(target)
    if await service.find_password_change(session, request.cookies.get(SESSION_COOKIE)):
        return redirect(_with_target(PASSWORD_PAGE, target))
    return await _sign_in_form(request, target=target)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    database: Db,
    _: SigningIn,
    name: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - as above
) -> Response:
    """Begin a session."""
    target = rules.local_path(next)
    visitor = visitor_of(request)
    try:
        signed_in = await service.sign_in(database, name=name, password=password, visitor=visitor)
    except (Unauthenticated, Forbidden, TooMany) as error:
        return await _sign_in_form(request, target=target, name=name, error=error)
    must_change = signed_in.must_change_password
    response = redirect(_with_target(PASSWORD_PAGE, target) if must_change else target)
    set_session_cookie(request, response, signed_in.value)
    return response


@router.get("/sign-in/password")
async def password_page(request: Request, session: Reading, _: SigningIn, next: str = "/") -> Response:  # noqa: A002 - as above
    """Ask for an own password, after a sign-in with a one-time password."""
    target = rules.local_path(next)
    account = await service.find_password_change(session, request.cookies.get(SESSION_COOKIE))
    if account is None:
        return redirect(_with_target("/sign-in", target))
    return await _password_form(request, target=target, name=account.name)


@router.post("/sign-in/password")
async def choose_password(
    request: Request,
    database: Db,
    _: SigningIn,
    password: Text = "",
    repeated: Text = "",
    next: Text = "/",  # noqa: A002 - as above
) -> Response:
    """Set the own password; the session begins anew and is a full one."""
    target = rules.local_path(next)
    visitor = visitor_of(request)
    async with database.read() as session:
        account = await service.find_password_change(session, visitor.session)
    if account is None:
        return redirect(_with_target("/sign-in", target))
    if password != repeated:
        return await _password_form(
            request, target=target, name=account.name, repeated="This is not the same password."
        )
    try:
        signed_in = await service.replace_one_time_password(database, password=password, visitor=visitor)
    except PasswordTooWeak as error:
        return await _password_form(request, target=target, name=account.name, password=" ".join(error.problems))
    except PasswordChangeExpired:
        return redirect(_with_target("/sign-in", target))
    response = redirect(target)
    set_session_cookie(request, response, signed_in.value)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, session: Writing, actor: SigningOut) -> RedirectResponse:
    """End this browser's session."""
    value = request.cookies.get(SESSION_COOKIE)
    if value:
        await service.sign_out(session, value=value, address=actor.address)
    response = redirect("/sign-in")
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


async def _sign_in_form(
    request: Request, *, target: str, name: str = "", error: RoadbedError | None = None
) -> Response:
    fields = [
        form_field(
            "name", "Name", value=name, attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": ""}
        ),
        form_field("password", "Password", "secret", attrs={"autocomplete": "current-password"}),
    ]
    if error is not None:
        fields[1]["error"] = {"message": f"{error.message} {error.hint or ''}".strip()}
    context = {"fields": fields, "target": target}
    response = await render(request, "identity/sign_in.html", context, status=status_of(error) if error else 200)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


async def _password_form(
    request: Request, *, target: str, name: str, password: str | None = None, repeated: str | None = None
) -> Response:
    fields = new_password_fields(password=password, repeated=repeated, is_first=True)
    context = {"fields": fields, "target": target, "name": name}
    status = 422 if password or repeated else 200
    return await render(request, "identity/choose_password.html", context, status=status)


def new_password_fields(
    *, password: str | None = None, repeated: str | None = None, is_first: bool = False
) -> list[Field]:
    """Return the two fields for a new password, with what is wrong about either. `is_first`: they have the focus."""
    help_text = f"At least {rules.PASSWORD_MIN} characters. A few words in a row are easy to remember."
    attrs = {"autocomplete": "new-password", "minlength": rules.PASSWORD_MIN, "maxlength": rules.PASSWORD_MAX}
    return [
        form_field(
            "password",
            "New password",
            "secret",
            help=help_text,
            attrs=attrs | ({"autofocus": ""} if is_first else {}),
            error=_error(password),
        ),
        form_field("repeated", "New password again", "secret", attrs=attrs, error=_error(repeated)),
    ]


def _error(message: str | None) -> dict[str, str] | None:
    return {"message": message} if message else None


def _with_target(page: str, target: str) -> str:
    return page if target == "/" else f"{page}?next={quote(target, safe='')}"
