"""The words of the domain as types: sources, sites, versions, pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from roadbed.kit.refs import EntityRef

TECHDOCS_REF = "backstage.io/techdocs-ref"
RUNBOOK = "roadbed.dev/runbook"
BUILD_KIND = "docs.build"
LATEST = "latest"


class SiteState(StrEnum):
    """Where a site is. While `waiting`, `building` or `failed` its last version can be read, if it has one."""

    WAITING = "waiting"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


class Builder(StrEnum):
    """What renders a version."""

    ROADBED = "roadbed"
    MKDOCS = "mkdocs"


class LinkKind(StrEnum):
    """What is known of a link: it leads nowhere, or out of the site, where nobody looked."""

    BROKEN = "broken"
    EXTERNAL = "external"


@dataclass(frozen=True)
class SiteSource:
    """Where the files of a site come from: a repository of the built-in host, or a location of the catalog.

    Args:
        folder: below the root of the repository or location; empty for the root itself.
        label: for people: `shop/orders`, an address, a folder.
        branch: of a repository; None for its default branch.
        web_url: the page of a repository elsewhere, as far as it is known.
    """

    folder: str
    label: str
    repository_id: UUID | None = None
    location_id: UUID | None = None
    branch: str | None = None
    web_url: str | None = None

    @property
    def key(self) -> str:
        """The same for all entities whose documentation is the same."""
        if self.repository_id is not None:
            return f"repository:{self.repository_id}:{self.branch or ''}:{self.folder}"
        return f"location:{self.location_id}:{self.folder}"


@dataclass(frozen=True)
class NavEntry:
    """A line of a site's table of pages: a page, a heading over others, or both."""

    title: str
    path: str | None = None
    items: tuple["NavEntry", ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"title": self.title, "path": self.path, "items": [item.as_dict() for item in self.items]}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "NavEntry":
        return cls(data["title"], data["path"], tuple(cls.of(item) for item in data["items"]))


@dataclass(frozen=True)
class RawPage:
    """A page as its renderer left it: nothing in it can be trusted.

    Args:
        path: its address in the site: `guide/setup`.
        source: its file, from the root of the repository or location.
        html: its body.
        title: what the renderer calls it; None to take its first heading.
    """

    path: str
    source: str
    html: str
    title: str | None = None


@dataclass(frozen=True)
class RawSite:
    """A site as its renderer left it.

    Args:
        nav: the order of its pages; None to list them by folder. Pages that it leaves out are found by their address.
        title: what it calls itself; None to take the entity's title.
        root: the folder that a link with a leading slash begins at.
        addresses: further names of pages in links, as the renderer wrote them, by the path they stand for.
        notes: what was left out, for people.
        fallback: why it was not mkdocs that rendered a site which has a mkdocs.yml; None when nothing is missing.
    """

    builder: Builder
    pages: Sequence[RawPage]
    nav: Sequence[NavEntry] | None = None
    title: str | None = None
    root: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    fallback: str | None = None


@dataclass(frozen=True)
class SiteLink:
    """A link that leads nowhere, or out of the site. `page` is where it stands."""

    page: str
    target: str
    kind: LinkKind
    reason: str


@dataclass(frozen=True)
class Heading:
    level: int
    id: str
    title: str


@dataclass(frozen=True)
class BuiltPage:
    """A page that can be shown."""

    path: str
    source: str
    title: str
    html: str
    headings: Sequence[Heading]
    text: str


@dataclass(frozen=True)
class BuiltSite:
    """A site that can be stored: `home` is its first page, `nav` lists all of them.

    `files` are what pages show or offer, by address, from the root of the repository.
    """

    raw: RawSite
    pages: Sequence[BuiltPage]
    nav: Sequence[NavEntry]
    home: str
    files: Mapping[str, str]
    links: Sequence[SiteLink]


@dataclass(frozen=True)
class SiteSummary:
    """A site as lists and panels show it."""

    id: UUID
    source: SiteSource
    state: SiteState
    error: Mapping[str, Any] | None
    run_id: UUID | None
    asked_at: datetime | None


@dataclass(frozen=True)
class VersionSummary:
    """A version without its pages. `nav` is what leads through it."""

    id: UUID
    site_id: UUID
    revision: str
    builder: Builder
    fallback: str | None
    title: str | None
    home: str
    nav: tuple[NavEntry, ...]
    notes: tuple[str, ...]
    page_count: int
    broken_count: int
    external_count: int
    size_bytes: int
    run_id: UUID
    built_at: datetime

    @property
    def name(self) -> str:
        """How addresses name it."""
        return self.revision[:12]


@dataclass(frozen=True)
class SubjectSummary:
    """An entity that is documented. `problem` says why it has no site."""

    ref: EntityRef
    title: str
    owner: str | None
    techdocs_ref: str
    site_id: UUID | None
    problem: Mapping[str, Any] | None

    @property
    def href(self) -> str:
        """The address of its documentation."""
        return docs_href(self.ref)


@dataclass(frozen=True)
class PageMatch:
    """A page that a search found, in the newest version of its site, with the words around what was found."""

    ref: EntityRef
    subject: str
    path: str
    title: str
    excerpt: str

    @property
    def href(self) -> str:
        return f"{docs_href(self.ref)}/{LATEST}/{self.path}"


@dataclass(frozen=True)
class Report:
    """Somebody's word that a page is wrong."""

    id: UUID
    site_id: UUID
    page: str
    revision: str
    text: str
    reported_by: str
    reported_at: datetime
    settled_by: str | None
    settled_at: datetime | None


def docs_href(ref: EntityRef) -> str:
    kind, _, rest = str(ref).partition(":")
    return f"/docs/{kind}/{rest}"


def runbook_href(ref: EntityRef) -> str:
    """Return the address of an entity's runbook that stays the same wherever it is."""
    kind, _, rest = str(ref).partition(":")
    return f"/catalog/{kind}/{rest}/runbook"
