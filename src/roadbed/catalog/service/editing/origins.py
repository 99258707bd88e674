"""Where the file of an entity lies, and whether it can be changed from here: in a repository of the built-in host."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from roadbed.catalog.errors import SourceNotWritable
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.commits import find_file_href
from roadbed.catalog.rules.sources import MANAGED_BY, OWN_REPOSITORIES, VIEW_URL
from roadbed.catalog.rules.targets import GitTarget, TargetError, parse_git_target
from roadbed.catalog.service.location_options import find_location_source, link_to
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import EntitySummary, LocationSummary, LocationType
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.services import Services
from roadbed.scm.contract import (
    CHANGE_WRITE,
    REPOSITORY_READ,
    REPOSITORY_WRITE,
    ChangeRequest,
    Repository,
    find_repository,
    list_open_changes_of_file,
)

_SHIPPED = "It came with Roadbed, and only a newer Roadbed changes it."
_WEB = ("https://", "http://")


@dataclass(frozen=True)
class Origin:
    """Where an entity was read from.

    Args:
        location: None when it was put over the API, or is built in.
        file: its path there.
        repository: of the built-in host, when the file is in one.
        branch: the one that is read of it.
        href: where people see the file.
        reason: why it cannot be changed from here, as a sentence; empty when it can.
    """

    location: LocationSummary | None
    file: str
    repository: Repository | None = None
    branch: str = ""
    href: str | None = None
    reason: str = ""

    @property
    def is_writable(self) -> bool:
        return self.repository is not None and not self.reason

    @property
    def is_shipped(self) -> bool:
        return self.reason == _SHIPPED

    @property
    def place(self) -> str:
        """The file, for people."""
        if self.repository is not None:
            return f"{self.file} in {self.repository.full_name}"
        return f"{self.file} in {self.location.target}" if self.location is not None else self.file

    def require(self) -> Repository:
        """Return the repository to change.

        Raises:
            SourceNotWritable: it cannot be changed from here.
        """
        if self.repository is None or self.reason:
            raise SourceNotWritable(self.reason, hint="Take the changed file from here, and change it there.")
        return self.repository


async def find_origin(session: ReadSession, entity: EntitySummary) -> Origin:
    """Return where an entity was read from."""
    return (await find_origins(session, [entity]))[0]


async def find_origins(session: ReadSession, entities: Sequence[EntitySummary]) -> list[Origin]:
    """Return for each of these entities where it was read from."""
    ids = {entity.location_id for entity in entities if entity.location_id is not None}
    locations = {row.id: summarise_location(row) for row in await location_rows.list_by_ids(session, ids)}
    repositories = await _find_repositories(session, locations.values())
    origins = []
    for entity in entities:
        location = locations.get(entity.location_id) if entity.location_id else None
        origins.append(_make_origin(session.services, entity, location, repositories))
    return origins


async def list_open_proposals(session: ReadSession, actor: Actor, origin: Origin) -> list[ChangeRequest]:
    """Return the open change requests that change the file of an entity, as far as the actor may see repositories."""
    if origin.repository is None or not session.services.get(DeciderService).has(actor, REPOSITORY_READ):
        return []
    return await list_open_changes_of_file(session, origin.repository, origin.file, target_branch=origin.branch)


def may_propose(services: Services, actor: Actor) -> bool:
    """Tell whether somebody may change files of repositories, and ask for that to be merged."""
    has = services.get(DeciderService).has
    return has(actor, REPOSITORY_WRITE) and has(actor, CHANGE_WRITE)


def require_proposer(services: Services, actor: Actor) -> None:
    """Raise Forbidden unless somebody may change files of repositories, and ask for that to be merged."""
    for permission in (REPOSITORY_WRITE, CHANGE_WRITE):
        services.get(DeciderService).require(actor, permission)


async def _find_repositories(session: ReadSession, locations: Iterable[LocationSummary]) -> dict[UUID, Repository]:
    """Return the repositories of the built-in host that locations read, by location."""
    found: dict[UUID, Repository] = {}
    known: dict[tuple[str, str], Repository | None] = {}
    for location in locations:
        target = _git_target(location)
        named = target.own_repository if target is not None else None
        if named is None:
            continue
        if named not in known:
            known[named] = await find_repository(session, *named)
        if (repository := known[named]) is not None:
            found[location.id] = repository
    return found


def _make_origin(
    services: Services,
    entity: EntitySummary,
    location: LocationSummary | None,
    repositories: dict[UUID, Repository],
) -> Origin:
    if location is None:
        return Origin(None, entity.file, reason=_SHIPPED if entity.is_built_in else "No file holds it.")
    target = _git_target(location)
    href = _find_href(services, entity, location)
    if location.target.startswith(OWN_REPOSITORIES):
        return Origin(location, entity.file, href=href, reason=_SHIPPED)
    repository = repositories.get(location.id)
    if repository is not None and target is not None:
        branch = target.branch or repository.default_branch
        return Origin(location, entity.file, repository, branch, href)
    return Origin(location, entity.file, href=href, reason=_explain(services, location, target))


def _explain(services: Services, location: LocationSummary, target: GitTarget | None) -> str:
    if target is not None and target.own_repository is not None:
        return f"The repository {'/'.join(target.own_repository)} is not there any more."
    contributed = find_location_source(services, location.type)
    if contributed is not None:
        return f"Its file is in a {contributed.label}, which Roadbed only reads."
    words = {
        LocationType.GIT: "in a repository elsewhere",
        LocationType.FILE: "on the disk of the server",
        LocationType.URL: "on a web server",
    }
    return f"Its file is {words.get(LocationType(location.type), 'elsewhere')}, which Roadbed only reads."


def _find_href(services: Services, entity: EntitySummary, location: LocationSummary) -> str | None:
    known = find_file_href(
        type_=location.type,
        target=location.target,
        revision=location.revision,
        path=entity.file,
        line=entity.line,
    ) or link_to(services, location, entity.file, entity.line)
    if known is not None or location.type != LocationType.URL:
        return known
    told = entity.annotations.get(VIEW_URL) or entity.annotations.get(MANAGED_BY, "").removeprefix("url:")
    return told if told.startswith(_WEB) else None


def _git_target(location: LocationSummary) -> GitTarget | None:
    if location.type != LocationType.GIT:
        return None
    try:
        return parse_git_target(location.target)
    except TargetError:  # it was written by an older version
        return None
