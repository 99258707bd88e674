"""The words of the integration as types: where an organisation is, what is wanted of it, what was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Organisation:
    """Where an organisation is. Addresses have no slash at the end."""

    host_url: str
    api_url: str
    name: str

    @property
    def url(self) -> str:
        return f"{self.host_url}/{self.name}"


@dataclass(frozen=True)
class Wanted:
    """What a location asks for: the options of `rules.options`, with their defaults."""

    token: str | None
    app_id: str | None
    private_key: str | None
    repositories: tuple[str, ...]
    exclude_repositories: tuple[str, ...]
    topics: frozenset[str]
    exclude_topics: frozenset[str]
    has_archived: bool
    has_forks: bool
    branch: str | None
    path: str
    has_people: bool
    namespace: str | None
    webhook_secret: str | None


@dataclass(frozen=True)
class Repository:
    """A repository as the list of an organisation tells it. `pushed_at` is None while it is empty."""

    name: str
    default_branch: str
    pushed_at: str | None
    is_archived: bool
    is_fork: bool
    topics: frozenset[str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Repository":
        return cls(
            name=answer["name"],
            default_branch=answer.get("default_branch") or "main",
            pushed_at=answer.get("pushed_at"),
            is_archived=bool(answer.get("archived")),
            is_fork=bool(answer.get("fork")),
            topics=frozenset(answer.get("topics") or ()),
        )


@dataclass(frozen=True)
class Team:
    """A team with the logins of its members, those of the teams below it included, as GitHub lists them."""

    slug: str
    name: str
    description: str
    url: str
    parent: str | None
    members: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Person:
    """A member of the organisation or of a team. Name and e-mail are as their profile shows them, if it does."""

    login: str
    url: str
    picture: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class People:
    teams: tuple[Team, ...] = ()
    persons: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """What a webhook tells: whose it is, which repository moved, whether people changed."""

    organisation: str
    repository: str | None = None
    has_people_changed: bool = False
    branch: str | None = None
    default_branch: str | None = None


@dataclass(frozen=True)
class Answer:
    """What GitHub answered. `body` is None where nothing has changed since `etag`, or where there is nothing."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
