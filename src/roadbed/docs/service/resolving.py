"""From the annotation of an entity to the folder that its documentation is rendered from."""

from uuid import UUID

from roadbed.catalog.contract import (
    AnnotatedEntity,
    LocationSummary,
    LocationType,
    get_location,
    place_of_location,
)
from roadbed.core.db import ReadSession
from roadbed.core.settings import Settings
from roadbed.docs.errors import RefInvalid
from roadbed.docs.rules.refs import (
    DirRef,
    OwnPlace,
    RefError,
    find_folder,
    find_own_place,
    find_place_elsewhere,
    read_ref,
)
from roadbed.docs.types import SiteSource
from roadbed.scm.contract import Repository, find_repository


class Resolver:
    """Finds the sources of many entities in one session, asking for each location and repository once."""

    def __init__(self, session: ReadSession) -> None:
        self._session = session
        self._base_url = session.services.get(Settings).base_url
        self._locations: dict[UUID, LocationSummary] = {}
        self._repositories: dict[tuple[str, str], Repository | None] = {}

    async def resolve(self, entity: AnnotatedEntity) -> SiteSource:
        """Return where the documentation of an entity is.

        Raises:
            RefInvalid: its annotation leads to nothing that Roadbed can read; says why.
        """
        try:
            ref = read_ref(entity.value)
            if isinstance(ref, DirRef):
                return await self._beside(entity, find_folder(ref, entity.file))
            own = find_own_place(ref.url, self._base_url)
            if own is not None:
                return await self._own(own)
            return await self._elsewhere(entity, ref.url)
        except RefError as error:
            raise RefInvalid(str(error), hint=error.hint) from error

    async def _beside(self, entity: AnnotatedEntity, folder: str) -> SiteSource:
        location = await self._find_location(entity)
        if location is None:
            raise RefError(
                "dir: is relative to a file, and this entity was put over the API.", "Write url: and the address."
            )
        if location.type not in (LocationType.GIT, LocationType.FILE):
            raise RefError(
                f"dir: needs a repository or folder, and this entity is read from a location of type {location.type}.",
                "Register its repository as a location of type git, or write url: and the address of one that is here.",
            )
        place = place_of_location(location)
        if place.own_repository is not None:
            return await self._own(OwnPlace(*place.own_repository, place.branch, folder))
        return _of_location(location, folder)

    async def _elsewhere(self, entity: AnnotatedEntity, url: str) -> SiteSource:
        location = await self._find_location(entity)
        place = place_of_location(location) if location is not None else None
        if location is None or place is None or place.url is None:
            raise RefError(
                "It leads to a repository that this entity is not read from.",
                "Roadbed reads its own repositories, and the one that declares the entity.",
            )
        folder = find_place_elsewhere(url, repository_url=place.url, branch=place.branch)
        return _of_location(location, folder)

    async def _own(self, place: OwnPlace) -> SiteSource:
        name = (place.owner, place.name)
        if name not in self._repositories:
            self._repositories[name] = await find_repository(self._session, *name)
        repository = self._repositories[name]
        if repository is None:
            raise RefError(f"There is no repository {place.owner}/{place.name}.", "It may have been renamed.")
        branch = place.branch if place.branch != repository.default_branch else None
        return SiteSource(place.folder, repository.full_name, repository_id=repository.id, branch=branch)

    async def _find_location(self, entity: AnnotatedEntity) -> LocationSummary | None:
        if entity.location_id is None:
            return None
        if entity.location_id not in self._locations:
            self._locations[entity.location_id] = await get_location(self._session, entity.location_id)
        return self._locations[entity.location_id]


def _of_location(location: LocationSummary, folder: str) -> SiteSource:
    place = place_of_location(location)
    url = place.url
    web_url = url.removesuffix("/").removesuffix(".git") if url and url.startswith("https://") else None
    return SiteSource(folder, url or location.target, location_id=location.id, branch=place.branch, web_url=web_url)
