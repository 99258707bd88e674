"""Pages for those who manage roles: the list, and what one of them allows."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.errors import Conflict, Forbidden, Invalid, RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.identity import repository
from roadbed.identity.access import ROLE_WRITE, RoleReader, RoleWriter, require_browser
from roadbed.identity.rules import ADMIN_ROLE, EVERYTHING
from roadbed.identity.service import roles
from roadbed.identity.web.forms import RoleForm
from roadbed.identity.web.parts import Field, errors_of, form_field, redirect, toasts

router = APIRouter(prefix="/platform/roles")


@router.get("")
async def roles_page(request: Request, session: Reading, actor: RoleReader, done: str | None = None) -> Response:
    """List roles, and how many accounts have each."""
    found = await repository.list_roles(session)
    context = {
        "roles": [(role, await repository.count_accounts_with_role(session, role.name)) for role in found],
        "may_write": session.services.get(DeciderService).has(actor, ROLE_WRITE),
        "toasts": toasts(done),
    }
    return await render(request, "identity/roles.html", context)


@router.get("/new")
async def new_role_page(request: Request, session: Reading, actor: RoleWriter) -> Response:
    """Ask what the new role should allow."""
    return await _role_page(request, session, actor, RoleForm())


@router.post("/new")
async def create_role(
    request: Request, session: Writing, actor: RoleWriter, form: Annotated[RoleForm, Form()]
) -> Response:
    """Create a role."""
    require_browser(actor)
    name = form.name.strip()
    try:
        await roles.put_role(session, actor, name, _wish(session, form), is_new_only=True)
    except (Invalid, Conflict, Forbidden) as error:
        return await _role_page(request, session, actor, form, error=error)
    return redirect("/platform/roles?done=role-created")


@router.get("/{name}")
async def role_page(request: Request, session: Reading, actor: RoleReader, name: str) -> Response:
    """Show what a role allows."""
    role = await roles.get_role(session, name)
    conditions = [role.conditions.get(permission.name, "") for permission in roles.list_narrowable(session)]
    form = RoleForm(name=role.name, title=role.title, permissions=role.permissions, condition=conditions)
    return await _role_page(request, session, actor, form, name=role.name)


@router.post("/{name}")
async def change_role(
    request: Request, session: Writing, actor: RoleWriter, name: str, form: Annotated[RoleForm, Form()]
) -> Response:
    """Change what a role allows."""
    require_browser(actor)
    role = await roles.get_role(session, name)
    try:
        await roles.put_role(session, actor, role.name, _wish(session, form))
    except (Invalid, Conflict, Forbidden) as error:
        return await _role_page(request, session, actor, form, name=role.name, error=error)
    return redirect("/platform/roles?done=role")


@router.post("/{name}/reset")
async def reset_role(session: Writing, actor: RoleWriter, name: str) -> Response:
    """Give a built-in role back what it came with."""
    require_browser(actor)
    await roles.reset_role(session, actor, name)
    return redirect("/platform/roles?done=role")


@router.post("/{name}/delete")
async def delete_role(session: Writing, actor: RoleWriter, name: str) -> Response:
    """Delete a role that nobody has."""
    require_browser(actor)
    await roles.delete_role(session, actor, name)
    return redirect("/platform/roles?done=role-deleted")


async def _role_page(
    request: Request,
    session: ReadSession,
    actor: Actor,
    form: RoleForm,
    *,
    name: str | None = None,
    error: RoadbedError | None = None,
) -> Response:
    role = await repository.find_role(session, name) if name else None
    fields = _fields(session, form, is_new=role is None)
    may_write = session.services.get(DeciderService).has(actor, ROLE_WRITE)
    context = {
        "role": role,
        "fields": fields,
        "errors": errors_of(error, fields, beside="name" if role is None else "title") if error else [],
        "is_fixed": name == ADMIN_ROLE or not may_write,
        "accounts": await repository.count_accounts_with_role(session, name) if name else 0,
        "toasts": [],
    }
    return await render(request, "identity/role.html", context, status=status_of(error) if error else 200)


def _wish(session: ReadSession, form: RoleForm) -> roles.RoleWish:
    narrowable = roles.list_narrowable(session)
    given = {permission.name: text.strip() for permission, text in zip(narrowable, form.condition, strict=False)}
    return roles.RoleWish(form.title, form.permissions, {name: text for name, text in given.items() if text})


def _condition_fields(session: ReadSession, form: RoleForm) -> list[Field]:
    values = [*form.condition, *[""] * len(roles.list_narrowable(session))]
    return [
        form_field(
            "condition",
            f"{permission.title}: only where",
            value=value,
            is_required=False,
            help="A condition in CEL, as owner in subject.groups. Empty: everywhere.",
            attrs={"spellcheck": "false", "class": "mono", "maxlength": 2048},
        )
        | {"id": f"f-{permission.name}"}
        for permission, value in zip(roles.list_narrowable(session), values, strict=False)
    ]


def _fields(session: ReadSession, form: RoleForm, *, is_new: bool) -> list[Field]:
    """Return name, title, and one group of permissions for each domain; what the role has besides comes last."""
    groups: dict[str, list[Field]] = {}
    for permission in roles.list_permissions(session):
        domain = permission.name.partition(".")[0]
        options = groups.setdefault(domain, [{"value": f"{domain}.*", "label": f"Everything in {domain}"}])
        options.append({"value": permission.name, "label": f"{permission.title} ({permission.name})"})
    offered = {option["value"] for options in groups.values() for option in options}
    rest = [{"value": pattern, "label": pattern} for pattern in form.permissions if pattern not in offered]
    if rest:
        groups["other" if rest != [{"value": EVERYTHING, "label": EVERYTHING}] else "everything"] = rest
    name = form_field("name", "Name", value=form.name, attrs={"autocapitalize": "none", "spellcheck": "false"})
    return [
        *([name] if is_new else []),
        form_field("title", "Title", value=form.title, attrs={"maxlength": 100}),
        *(
            {
                **form_field("permissions", domain.capitalize(), "checkboxes", value=form.permissions, options=options),
                "id": f"f-{domain}",
            }
            for domain, options in groups.items()
        ),
        *_condition_fields(session, form),
    ]
