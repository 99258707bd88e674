"""Looking at an organisation and reading it: discovery, people and files together, as one source of the catalog."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from roadbed.catalog.contract import (
    VIEW_URL,
    LocationMissing,
    Look,
    Source,
    SourceContext,
    is_glob,
    match_glob,
)
from roadbed.core.outbound import Outbound
from roadbed.integrations.github.rules.addresses import FileAddress, read_file_address, read_organisation
from roadbed.integrations.github.rules.discovery import choose
from roadbed.integrations.github.rules.options import read_wanted
from roadbed.integrations.github.rules.people import write_people
from roadbed.integrations.github.service.client import GithubClient
from roadbed.integrations.github.service.concurrency import run_all
from roadbed.integrations.github.service.credentials import Installations, authorize
from roadbed.integrations.github.service.elsewhere import ElsewhereFiles, read_path, write_path
from roadbed.integrations.github.service.files import FilesReader, RepositoryFiles
from roadbed.integrations.github.service.people import PeopleReader
from roadbed.integrations.github.types import Organisation, People, Repository
from roadbed.kit.jsons import digest

T = TypeVar("T")

_FETCH_SECONDS = 120
_SHOWN = 5


@dataclass(frozen=True)
class _Survey:
    """What a look found."""

    repositories: list[Repository]
    people: People
    fingerprint: str


class GithubReader:
    """Reads the organisation of one location."""

    def __init__(self, context: SourceContext) -> None:
        self._organisation = read_organisation(context.location.target)
        self._wanted = read_wanted(context.location.options.source)
        self._known_digests = context.known_digests
        services, wanted = context.services, self._wanted
        credential = wanted.app_id or wanted.token or ""
        self._client = GithubClient(
            services.get(Outbound),
            self._organisation.api_url,
            partial(authorize, services, self._organisation, wanted),
            memory=context.memory,
            budget=services.get(Installations).budget(self._organisation.api_url, credential),
        )
        self._files = FilesReader(self._client, context.memory, self._organisation.name, wanted)
        self._people = PeopleReader(self._client, context.memory, self._organisation.name)
        self._elsewhere = ElsewhereFiles(self._client, context.memory, self._files)
        self._facts: list[tuple[str, str]] = []

    async def look(self) -> Look:
        return Look(self._seal(await self._survey()), has_seen_entry=True)

    async def open(self) -> Callable[[], Source]:
        survey = await self._survey()
        self._elsewhere.begin()
        self._files.forget_others({repository.name for repository in survey.repositories})
        self._files.take_held()
        found = await run_all([partial(self._files.read_tree, one) for one in survey.repositories])
        self._files.note_unreadable()
        people = write_people(self._organisation, survey.people, self._wanted.namespace)
        source = GithubSource(self._organisation, self._files, self._elsewhere, self._seal(survey), found, people)
        await run_all([partial(self._files.fetch, *wanted) for wanted in source.list_unknown(self._known_digests)])
        return lambda: source

    def report(self) -> dict[str, Any]:
        budget = self._client.budget.current
        facts = [list(fact) for fact in self._facts]
        facts += [
            [title, ", ".join(sorted(names)[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")]
            for title, names in (
                ("Not readable", self._files.unreadable),
                ("Not readable elsewhere", self._elsewhere.unreadable),
                ("Too large", self._files.too_large),
            )
            if names
        ]
        return {"budget": budget.as_json() if budget else None, "facts": facts}

    def _seal(self, survey: _Survey) -> str:
        """Return the fingerprint, which is another one when it is time to try again what could not be read."""
        return f"{survey.fingerprint}+{self._files.attempt}"

    async def _survey(self) -> _Survey:
        name = self._organisation.name
        listed = await self._client.list_all(f"/orgs/{name}/repos", _reduce, type="all", sort="full_name")
        if listed is None:
            raise LocationMissing(
                f"There is no organisation {self._organisation.url}, or the credential does not see it.",
                hint="Correct the address of the location, or what the credential may read.",
            )
        chosen = choose(map(Repository.of, listed), self._wanted)
        people = await self._people.read() if self._wanted.has_people else People()
        self._facts = [("Repositories", f"{len(chosen):,} of {len(listed):,}")]
        if self._wanted.has_people:
            self._facts.append(("People", f"{len(people.persons):,} users, {len(people.teams):,} teams"))
        state = [
            [one.name, self._wanted.branch or one.default_branch, one.pushed_at, self._files.is_settled(one)]
            for one in chosen
        ]
        written = write_people(self._organisation, people, self._wanted.namespace)
        parts: list[Any] = [self._wanted.path, state, {path: content.decode() for path, content in written.items()}]
        if elsewhere := await self._elsewhere.look():
            parts.append(elsewhere)
        return _Survey(chosen, people, digest(parts))


class GithubSource:
    """The catalog files of the chosen repositories, as `repository/path`, and documents for teams and users."""

    revision: str | None = None

    def __init__(
        self,
        organisation: Organisation,
        reader: FilesReader,
        elsewhere: ElsewhereFiles,
        fingerprint: str,
        found: Iterable[RepositoryFiles],
        people: Mapping[str, bytes],
    ) -> None:
        """Prepare; called on the event loop, from which requests are sent."""
        self._organisation = organisation
        self._reader = reader
        self._elsewhere = elsewhere
        self._fingerprint = fingerprint
        self._repositories = {one.repository.name: one for one in found}
        self._people = people
        self._loop = asyncio.get_running_loop()

    def list_unknown(self, known: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return repository and id of the named files whose content is not known."""
        return [
            (f"{self._organisation.name}/{name}", str(one.files[path]))
            for name, one in self._repositories.items()
            for path in one.entries
            if known.get(f"{name}/{path}") != one.files[path]
        ]

    def list_entries(self) -> list[str]:
        named = [f"{name}/{path}" for name, one in self._repositories.items() for path in one.entries]
        return [*self._people, *named]

    def locate(self, target: str) -> str | None:
        address = read_file_address(self._organisation, target)
        if address is None:
            return None
        if address.owner.lower() == self._organisation.name.lower():
            for name, one in self._repositories.items():
                if name.lower() == address.repository.lower() and one.branch == address.branch:
                    return f"{name}/{address.path}"
        return write_path(address)

    def expand(self, pattern: str) -> list[str]:
        if read_path(pattern) is not None:
            return [pattern] if self._wait(self._elsewhere.name(pattern)) is not None else []
        name, _, path = pattern.partition("/")
        one = self._repositories.get(name)
        if one is None:
            return []
        if not is_glob(path):
            return [pattern] if self._find(one, path) is not None else []
        self._complete(one)
        return [f"{name}/{found}" for found in match_glob(path, one.files)]

    def digest(self, path: str) -> str | None:
        if path in self._people:
            return hashlib.sha256(self._people[path]).hexdigest()
        if read_path(path) is not None:
            return self._wait(self._elsewhere.name(path))
        name, _, inner = path.partition("/")
        one = self._repositories.get(name)
        return None if one is None else self._find(one, inner)

    def read(self, path: str) -> bytes:
        if path in self._people:
            return self._people[path]
        if read_path(path) is not None:
            return self._wait(self._elsewhere.read(path))
        name, _, inner = path.partition("/")
        sha = self._find(self._repositories[name], inner)
        assert sha is not None
        fetched = self._reader.find_fetched(sha)
        if fetched is not None:
            return fetched
        return self._wait(self._reader.fetch(f"{self._organisation.name}/{name}", sha))

    def fingerprint(self, paths: Iterable[str]) -> str:  # noqa: ARG002 - the list of repositories stands for all files
        return self._fingerprint

    def describe(self, path: str) -> str:
        if path in self._people:
            return f"github:{self._organisation.url}"
        return f"url:{self._link(self._place_of(path), 'blob')}"

    def annotate(self, path: str) -> Mapping[str, str]:
        if path in self._people:
            return {}
        place = self._place_of(path)
        folder = place.path.rpartition("/")[0]
        return {
            VIEW_URL: self._link(place, "blob"),
            "backstage.io/edit-url": self._link(place, "edit"),
            "backstage.io/source-location": f"url:{self._link(replace(place, path=folder), 'tree').rstrip('/')}/",
            "github.com/project-slug": f"{place.owner}/{place.repository}",
        }

    def _place_of(self, path: str) -> FileAddress:
        elsewhere = read_path(path)
        if elsewhere is not None:
            return elsewhere
        name, _, inner = path.partition("/")
        return FileAddress(self._organisation.name, name, self._repositories[name].branch, inner)

    def _link(self, place: FileAddress, view: str) -> str:
        repository = f"{self._organisation.host_url}/{place.owner}/{quote(place.repository)}"
        return f"{repository}/{view}/{quote(place.branch)}/{quote(place.path)}"

    def _find(self, one: RepositoryFiles, path: str) -> str | None:
        if path not in one.files and not one.is_complete:
            self._complete(one)
        if path not in one.entries:
            self._reader.note_asked(one, path)
        return one.files.get(path)

    def _complete(self, one: RepositoryFiles) -> None:
        if not one.is_complete:
            self._wait(self._reader.complete(one))

    def _wait(self, asking: Coroutine[Any, Any, T]) -> T:
        """Send a request on the event loop; the source is used in a thread."""
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result(_FETCH_SECONDS)


def _reduce(repository: dict[str, Any]) -> dict[str, Any]:
    pushed_at = repository["pushed_at"]
    names = ("name", "default_branch", "archived", "fork", "topics")
    return {
        **{name: repository.get(name) for name in names},
        "pushed_at": None if pushed_at is None else datetime.fromisoformat(pushed_at).astimezone(UTC).isoformat(),
    }
