"""Who may do what: how permissions are declared, asked for in a handler's signature, and decided.

A handler names its permission in a parameter: `actor: Annotated[Actor, requires(ENTITY_WRITE)]`. Roadbed has no route
without such a declaration; `tools/lint` checks it. What needs the object itself is decided in the domain's `access.py`
with `Decider.require`. The identity domain provides the `Decider` and the `Authenticator`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection
from starlette.types import Scope

from roadbed.core.actor import ANONYMOUS, Actor
from roadbed.core.errors import Forbidden, Unauthenticated
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.headers import find_header
from roadbed.core.services import Services

SESSION_COOKIE = "roadbed_session"


@dataclass(frozen=True)
class Permission:
    """Something that can be allowed.

    Args:
        name: `domain.noun.verb`, as roles and tokens name it.
        title: what it allows, for people: "Change entities".
        roles: built-in roles that have it from the start; admins have all.
        check_condition: reads a condition that narrows it to some objects, and raises ExpressionInvalid when it cannot
            be one. None: it is for all objects or none. The domain that declares it applies the conditions.
    """

    name: str
    title: str
    roles: tuple[str, ...] = ()
    check_condition: Callable[[str], None] | None = field(default=None, compare=False)


PERMISSIONS: Slot[Permission] = Slot(ContributionKind.PERMISSION, Permission)

VIEWERS = ("viewer", "developer", "platform-engineer")
DEVELOPERS = ("developer", "platform-engineer")
PLATFORM = ("platform-engineer",)
ADMINS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """An answer with its reason, in words for people."""

    is_allowed: bool
    reason: str


class Decider(Protocol):
    """Answers permission questions from roles and token scopes."""

    def decide(self, actor: Actor, permission: Permission) -> Decision: ...


@dataclass(frozen=True)
class Presented:
    """What a request shows of its sender: the two places for credentials, and where it came from and goes to."""

    path: str
    address: str | None
    authorization: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)


class Authenticator(Protocol):
    """Finds who sent a request, from its session cookie or token. Anonymous is an actor, a wrong token an error."""

    async def authenticate(self, presented: Presented) -> Actor: ...


class AuthenticatorService:
    """The box in which the identity domain puts its authenticator."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator


def not_signed_in() -> Unauthenticated:
    return Unauthenticated("You are not signed in.", hint="Sign in, or send a token: `Authorization: Bearer …`.")


class DeciderService:
    """The box in which the identity domain puts its decider (a Protocol cannot be a service key)."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider

    def require(self, actor: Actor, permission: Permission) -> None:
        """Raise unless `actor` has `permission`.

        Raises:
            Unauthenticated: nobody is signed in.
            Forbidden: the reason, and who could.
        """
        decision = self.decider.decide(actor, permission)
        if decision.is_allowed:
            return
        if not actor.is_authenticated:
            raise not_signed_in()
        raise Forbidden(
            f"You may not do this: {decision.reason}",
            hint=f"It needs {permission.name} ({permission.title}). An admin can give you a role that has it.",
            permission=permission.name,
        )

    def has(self, actor: Actor, permission: Permission) -> bool:
        return self.decider.decide(actor, permission).is_allowed


_acting: ContextVar[Actor | None] = ContextVar("roadbed_acting", default=None)


def acting() -> Actor | None:
    """Return who sent the request that this is done for; None when Roadbed works by itself: runs, events, schedules.

    For what narrows reading by objects, which then cannot be forgotten in one of many places. Whether somebody may do
    a thing at all is declared and asked for with the actor in hand.
    """
    return _acting.get()


async def current_actor(request: Request) -> Actor:
    """Return who sent the request; asked once a request. Whose credentials are refused is anonymous from then on."""
    return await actor_of_scope(request.scope, request.app.state.services)


async def actor_of_scope(scope: Scope, services: Services) -> Actor:
    """Return who sent a request; see `current_actor`."""
    state = scope.setdefault("state", {})
    actor: Actor | None = state.get("actor")
    if actor is not None:
        _acting.set(actor)
        return actor
    client = scope.get("client")
    presented = Presented(
        path=scope["path"],
        address=client[0] if client else None,
        authorization=find_header(scope, b"authorization"),
        session=HTTPConnection(scope).cookies.get(SESSION_COOKIE) if find_header(scope, b"cookie") else None,
    )
    found = services.find(AuthenticatorService)
    try:
        actor = await found.authenticator.authenticate(presented) if found is not None else None
    finally:
        known: Actor = actor or replace(ANONYMOUS, address=presented.address)
        state["actor"] = known
    _acting.set(known)
    return known


def requires(permission: Permission) -> Any:
    """Declare the permission of a handler.

    Returns the dependency that lets in who has `permission`: `actor: Annotated[Actor, requires(ENTITY_WRITE)]`.
    """

    async def check(request: Request) -> Actor:
        actor = await current_actor(request)
        request.app.state.services.get(DeciderService).require(actor, permission)
        return actor

    return Depends(check)


def signed_in() -> Any:
    """Declare that a handler is for whoever is signed in, about their own things."""

    async def check(request: Request) -> Actor:
        actor = await current_actor(request)
        if not actor.is_authenticated:
            raise not_signed_in()
        return actor

    return Depends(check)


def anonymous(reason: str) -> Any:
    """Declare that a handler is open to everyone, and why. The list of such routes is in the reference."""

    async def allow(request: Request) -> Actor:
        return await current_actor(request)

    dependency: Dependency = Depends(allow)
    allow.__doc__ = reason
    return dependency
