"""Who acts: a person, a service token, or Roadbed itself."""

from dataclasses import dataclass, field
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Actor:
    """The subject of a permission decision, and the author in the audit record.

    `permissions` are the patterns that the roles give. `groups` are refs of the catalog groups the account belongs to,
    directly or through a parent. `conditions` are pairs of a permission and a CEL condition, of which one with that
    permission must hold for the object; what is in none of them is not narrowed. `scopes` limits a token to these
    permission patterns; None means no further limit. `credential` tells what was presented, as `session:<id>` or
    `token:<id>`; never the value. `title` is what pages call a person.
    """

    kind: ActorKind
    id: str
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    entity_ref: str | None = None
    groups: frozenset[str] = frozenset()
    conditions: frozenset[tuple[str, str]] = frozenset()
    scopes: frozenset[str] | None = None
    address: str | None = None
    credential: str | None = field(default=None, repr=False)
    title: str = ""

    @property
    def is_authenticated(self) -> bool:
        return self.kind is not ActorKind.ANONYMOUS

    @property
    def shown_as(self) -> str:
        return self.title or self.name

    def conditions_of(self, permission: str) -> tuple[str, ...]:
        """Return the conditions that narrow a permission, one of which must hold; none when nothing narrows it."""
        return tuple(condition for name, condition in self.conditions if name == permission)

    @property
    def label(self) -> str:
        """The short form that runs and audit records keep: `user:ada`, `service:ci`, `system:pipeline`."""
        return f"{self.kind.value}:{self.name}"


ANONYMOUS = Actor(kind=ActorKind.ANONYMOUS, id="anonymous", name="anonymous")


def system_actor(name: str) -> Actor:
    """Roadbed acting by itself, for the named part of it. It may do everything its code does."""
    return Actor(kind=ActorKind.SYSTEM, id=f"system:{name}", name=name, roles=frozenset({"system"}))
