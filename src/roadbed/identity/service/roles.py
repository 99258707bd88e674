"""Roles: seeding those that Roadbed brings, and changing what they allow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roadbed.audit.contract import record
from roadbed.core.access import PERMISSIONS, Permission
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.expressions import ExpressionInvalid
from roadbed.core.extension import Registry
from roadbed.identity import repository, rules
from roadbed.identity.errors import BeyondOwn, InvalidRole, RoleFixed, RoleInUse, RoleNameTaken, RoleNotFound
from roadbed.identity.models import Role
from roadbed.identity.service.known import forget_tokens


def list_permissions(session: ReadSession) -> list[Permission]:
    """List every permission that the loaded modules declare, by name."""
    return sorted(session.services.get(Registry).get(PERMISSIONS), key=lambda permission: permission.name)


async def seed_roles(session: WriteSession) -> None:
    """Create the built-in roles, and bring those up to date that people have not changed."""
    await lock_transaction(session, "identity: roles")  # the first processes may start together
    permissions = list_permissions(session)
    known = {role.name: role for role in await repository.list_roles(session)}
    for name, title in rules.BUILT_IN_ROLES.items():
        patterns = rules.seeded_patterns(name, permissions)
        role = known.get(name)
        if role is None:
            session.add(Role(name=name, title=title, permissions=patterns, conditions={}, seeded=patterns))
        elif not role.is_changed:
            role.permissions = role.seeded = patterns
    await session.flush()


async def get_role(session: ReadSession, name: str) -> Role:
    """Return a role.

    Raises:
        RoleNotFound: there is none of that name.
    """
    role = await repository.find_role(session, name)
    if role is None:
        names = ", ".join(known.name for known in await repository.list_roles(session))
        raise RoleNotFound(f"There is no role {name!r}.", hint=f"Roles are {names}.")
    return role


@dataclass(frozen=True)
class RoleWish:
    """What a role should be.

    Args:
        title: for people; the name when empty.
        permissions: patterns.
        conditions: what narrows a permission, CEL by its name. None leaves those that the role has.
    """

    title: str
    permissions: Iterable[str]
    conditions: Mapping[str, str] | None = None


async def put_role(
    session: WriteSession, actor: Actor, name: str, wish: RoleWish, *, is_new_only: bool = False
) -> tuple[Role, bool]:
    """Create a role, or change it; return it and whether it is new.

    Raises:
        InvalidRole: the name, a pattern or a condition is not valid.
        RoleFixed: it is the role `admin`.
        RoleNameTaken: `is_new_only` was asked for, and the role exists.
        BeyondOwn: it would allow, or allows now, more than the actor may do.
    """
    patterns = sorted(set(wish.permissions))
    if name == rules.ADMIN_ROLE:
        raise RoleFixed(
            "The role admin allows everything, so that Roadbed can always be run.", hint="Make another role."
        )
    await lock_transaction(session, "identity.roles")
    role = await repository.find_role(session, name)
    if role is not None and is_new_only:
        raise RoleNameTaken(f"There is a role {name!r} already.", hint="Choose another name.")
    conditions = dict(wish.conditions if wish.conditions is not None else role.conditions if role else {})
    faults = _find_faults(session, name, patterns, known=role.permissions if role else [])
    faults += _find_condition_faults(session, patterns, conditions)
    if faults:
        raise InvalidRole(f"The role {name!r} is not valid: {'; '.join(faults)}.", hint=None, problems=faults)
    if role is not None:
        check_role_within_own(actor, role)
    title = wish.title.strip() or name
    check_role_within_own(actor, Role(name=name, title=title, permissions=patterns, conditions=conditions))
    before = None if role is None else _state(role)
    is_new = role is None
    if role is None:
        role = Role(name=name, title=title, permissions=patterns, conditions=conditions, seeded=None)
        session.add(role)
    else:
        role.title, role.permissions, role.conditions = title, patterns, conditions
    forget_tokens(session)
    action = "identity.role_created" if is_new else "identity.role_changed"
    await record(
        session, actor, action=action, subject=f"role:{name}", before=before, after=_state(role), permissions=patterns
    )
    return role, is_new


async def reset_role(session: WriteSession, actor: Actor, name: str) -> Role:
    """Give a built-in role back what Roadbed brings for it.

    Raises:
        RoleNotFound, BeyondOwn: as elsewhere.
        RoleFixed: people made the role.
    """
    role = await get_role(session, name)
    if role.seeded is None:
        raise RoleFixed(f"The role {name} was made here: there is nothing to go back to.", hint="Change it instead.")
    patterns = rules.seeded_patterns(name, list_permissions(session))
    check_role_within_own(actor, role)
    check_role_within_own(actor, Role(name=name, title=role.title, permissions=patterns, conditions={}))
    before = _state(role)
    role.permissions = role.seeded = patterns
    role.conditions = {}
    forget_tokens(session)
    await record(
        session, actor, action="identity.role_reset", subject=f"role:{name}", before=before, after=_state(role)
    )
    return role


async def delete_role(session: WriteSession, actor: Actor, name: str) -> None:
    """Delete a role that nobody has.

    Raises:
        RoleNotFound, BeyondOwn: as elsewhere.
        RoleFixed: it is built in.
        RoleInUse: accounts have it.
    """
    role = await get_role(session, name)
    if role.is_built_in:
        raise RoleFixed(f"The role {name} is built in and cannot be deleted.", hint="Take it from accounts instead.")
    count = await repository.count_accounts_with_role(session, name)
    if count:
        raise RoleInUse(f"{count} accounts have the role {name}.", hint="Give them another role first.")
    check_role_within_own(actor, role)
    await session.delete(role)
    await record(session, actor, action="identity.role_deleted", subject=f"role:{name}", before=_state(role))


def check_role_within_own(actor: Actor, role: Role) -> None:
    """Refuse to let `actor` give, or take, what they do not have themselves, or have for fewer objects.

    Raises:
        BeyondOwn: naming what is beyond.
    """
    beyond = rules.uncovered(actor, role.permissions)
    if beyond:
        raise BeyondOwn(
            f"You cannot decide about the role {role.name}: it allows {', '.join(beyond)}, "
            "which you may not do yourself.",
            hint="Ask somebody who may: an admin may do everything.",
            patterns=beyond,
        )
    widened = rules.find_widened(actor, role.permissions, role.conditions)
    if widened:
        raise BeyondOwn(
            f"You cannot decide about the role {role.name}: it allows {', '.join(widened)} for more than you may.",
            hint="Give it the condition that your own role has, or ask an admin.",
            patterns=widened,
        )


def list_narrowable(session: ReadSession) -> list[Permission]:
    """List the permissions that a condition can narrow, by name."""
    return [permission for permission in list_permissions(session) if permission.check_condition is not None]


def _find_condition_faults(session: ReadSession, patterns: list[str], conditions: Mapping[str, str]) -> list[str]:
    checks = {permission.name: permission.check_condition for permission in list_narrowable(session)}
    faults = []
    for name, condition in sorted(conditions.items()):
        check = checks.get(name)
        if check is None:
            faults.append(f"condition: {name} cannot be narrowed; {', '.join(checks)} can")
        elif not rules.covers(patterns, name):
            faults.append(f"condition: the role does not give {name}")
        else:
            try:
                check(condition)
            except ExpressionInvalid as error:
                faults.append(f"condition: {error.message} {error.hint or ''}".rstrip())
    return faults


def _find_faults(session: ReadSession, name: str, patterns: list[str], *, known: list[str]) -> list[str]:
    names = [permission.name for permission in list_permissions(session)]
    fault = rules.find_name_fault(name)
    faults = [f"name: {fault}"] if fault else []
    # What the role has already may stay: a plugin that is switched off takes its permissions along.
    return faults + [
        f"permissions: {fault}"
        for pattern in patterns
        if pattern not in known and (fault := rules.find_pattern_fault(pattern, names))
    ]


def _state(role: Role) -> dict[str, object]:
    return {"title": role.title, "permissions": role.permissions, "conditions": role.conditions}
