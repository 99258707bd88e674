"""What the pages of this domain share: the session cookie, notes after a change, fields of forms."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.db import Database
from roadbed.core.errors import Invalid, RoadbedError
from roadbed.core.routes import service
from roadbed.identity.rules import browser_name
from roadbed.identity.service.sign_in import LONGEST_SESSION, Visitor

Db = Annotated[Database, Depends(service(Database))]
Field = dict[str, Any]

NOTES = {
    "name": ("ok", "Name changed", None),
    "password": ("ok", "Password changed", "All other sessions have ended."),
    "session": ("ok", "Session ended", None),
    "sessions": ("ok", "All other sessions have ended", None),
    "theme": ("ok", "Theme changed", None),
    "token": ("ok", "Token revoked", "Programs that use it get an error from now on."),
    "account": ("ok", "Account changed", None),
    "role": ("ok", "Role changed", "It counts from the next request on."),
    "role-created": ("ok", "Role created", None),
    "role-deleted": ("ok", "Role deleted", None),
}


def visitor_of(request: Request) -> Visitor:
    return Visitor(
        address=request.client.host if request.client else None,
        browser=browser_name(request.headers.get("user-agent", "")),
        session=request.cookies.get(SESSION_COOKIE),
    )


def set_session_cookie(request: Request, response: Response, value: str) -> None:
    """Hand out a session: for this host alone, out of reach of scripts, and over TLS only once it came over TLS."""
    response.set_cookie(
        SESSION_COOKIE,
        value,
        max_age=int(LONGEST_SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def redirect(path: str) -> RedirectResponse:
    """Answer a form with the page to go to."""
    return RedirectResponse(path, 303)


def toasts(done: str | None) -> list[dict[str, Any]]:
    """Return the note for a change that a form has just made, told by `?done=`."""
    note = NOTES.get(done or "")
    return [{"kind": note[0], "title": note[1], "meta": note[2]}] if note else []


def form_field(name: str, label: str, kind: str = "text", **more: Any) -> Field:
    """Return what the macro `field` wants, with an id made from the name."""
    return {"name": name, "id": f"f-{name}", "kind": kind, "label": label, "is_required": True, **more}


def errors_of(error: RoadbedError, fields: list[Field], *, beside: str) -> list[Field]:
    """Put an error's problems beside the fields they name, or the whole `beside` one; return the list over the form."""
    by_name = {found["name"]: found for found in fields}
    problems = error.problems if isinstance(error, Invalid) else []
    shown = []
    for problem in problems:
        name, _, message = str(problem).partition(": ")
        if name in by_name and message:
            by_name[name]["error"] = {"message": _sentence(message)}
            shown.append({"id": by_name[name]["id"], "label": by_name[name]["label"], "message": message})
    if not shown:
        message = f"{error.message} {error.hint or ''}".strip()
        target = by_name[beside]
        target["error"] = {"message": message}
        shown = [{"id": target["id"], "label": target["label"], "message": message}]
    return shown


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
