"""Backstage's ways to read a GitHub organisation, as options of a location of type `github`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from roadbed.cli.importing.durations import read_seconds

Note = Callable[[str, str], None]

_DISCOVERY = re.compile(r"https://([^/]+)/([^/]+)(?:/([^/]+)/blob/([^/]+)/(.+))?/?")
_PLAIN = re.compile(r"[\w-]|\\\.|\\-|\.\*")
_KNOWN_FILTERS = {"branch", "repository", "topic", "allowForks", "allowArchived", "validateLocationsExist"}


@dataclass(frozen=True)
class GithubWish:
    """An organisation to be read: its repositories, its people, or both."""

    origin: str
    target: str
    has_repositories: bool = True
    has_people: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    interval_seconds: int | None = None

    def joined(self, other: "GithubWish") -> "GithubWish":
        """Return both as one; at most one of them has repositories."""
        return replace(
            self,
            has_repositories=self.has_repositories or other.has_repositories,
            has_people=self.has_people or other.has_people,
            options={**self.options, **other.options},
            interval_seconds=min(filter(None, (self.interval_seconds, other.interval_seconds)), default=None),
        )

    def source(self) -> dict[str, Any]:
        none = {} if self.has_repositories else {"exclude_repositories": ["*"]}
        return {**self.options, **none, "people": self.has_people}


def read_discovery(locations: Sequence[Any], note: Note) -> Iterator[GithubWish]:
    """Read locations of the types `github-discovery` and `github-org`."""
    for number, location in enumerate(locations):
        if not isinstance(location, Mapping) or location.get("type") not in ("github-discovery", "github-org"):
            continue
        origin = f"catalog.locations[{number}]"
        match = _DISCOVERY.fullmatch(str(location.get("target")))
        if match is None:
            note(origin, f"{location.get('target')!r} is no address of an organisation")
            continue
        host, name, repositories, branch, path = match.groups()
        target = f"https://{host}/{name}"
        if location["type"] == "github-org":
            yield GithubWish(origin, target, has_repositories=False, has_people=True)
            continue
        options: dict[str, Any] = {"path": path or "catalog-info.yaml"}
        if repositories and repositories != "*":
            options["repositories"] = [repositories]
        if branch and branch != "-":
            options["branch"] = branch
        yield GithubWish(origin, target, options=options)


def read_providers(value: Any, note: Note) -> Iterator[GithubWish]:
    """Read `catalog.providers.github`: one provider, or several by name."""
    if not isinstance(value, Mapping):
        return
    is_one = isinstance(value.get("organization"), str)
    for name, provider in ({"": value} if is_one else value).items():
        origin = "catalog.providers.github" + (f".{name}" if name else "")
        if not isinstance(provider, Mapping) or not isinstance(provider.get("organization"), str):
            note(origin, "it names no organization; which ones an app sees is not asked")
            continue
        options = _read_filters(provider.get("filters") or {}, origin, note)
        if options is None:
            continue
        options["path"] = str(provider.get("catalogPath") or "catalog-info.yaml").lstrip("/")
        target = f"https://{provider.get('host') or 'github.com'}/{provider['organization']}"
        yield GithubWish(origin, target, options=options, interval_seconds=_read_interval(provider, origin, note))


def read_organisations(value: Any, note: Note) -> Iterator[GithubWish]:
    """Read `catalog.providers.githubOrg`: one, or a list."""
    providers = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    for number, provider in enumerate(providers):
        origin = "catalog.providers.githubOrg" + (f"[{number}]" if isinstance(value, list) else "")
        if not isinstance(provider, Mapping):
            continue
        address = str(provider.get("githubUrl") or provider.get("orgUrl") or "https://github.com").rstrip("/")
        named = provider.get("orgs") or ()
        targets = [f"{address}/{name}" for name in named] or ([address] if address.count("/") == 3 else [])
        if not targets:
            note(origin, "it names no orgs; which ones an app sees is not asked")
        for target in targets:
            yield GithubWish(
                origin,
                target,
                has_repositories=False,
                has_people=True,
                interval_seconds=_read_interval(provider, origin, note),
            )


def translate_pattern(pattern: str) -> str | None:
    """Return the glob for a regular expression of names; None when it says more than a glob can."""
    inner = pattern.removeprefix("^").removesuffix("$")
    if "".join(_PLAIN.findall(inner)) != inner:
        return None
    return inner.replace(".*", "*").replace("\\.", ".").replace("\\-", "-")


def _read_filters(filters: Mapping[str, Any], origin: str, note: Note) -> dict[str, Any] | None:
    """Return the options for filters; None when one of them cannot be kept, as more would be read than before."""
    unknown = sorted(set(filters) - _KNOWN_FILTERS)
    if unknown:
        note(origin, f"its filters {', '.join(unknown)} are not known here, and without them more would be read")
        return None
    options: dict[str, Any] = {"forks": filters.get("allowForks", True), "archived": bool(filters.get("allowArchived"))}
    if filters.get("branch"):
        options["branch"] = str(filters["branch"])
    if filters.get("repository"):
        glob = translate_pattern(str(filters["repository"]))
        if glob is None:
            note(origin, f"its filter repository {filters['repository']!r} says more than a glob can")
            return None
        if glob != "*":
            options["repositories"] = [glob]
    topic = filters.get("topic") or {}
    if topic.get("include"):
        options["topics"] = list(topic["include"])
    if topic.get("exclude"):
        options["exclude_topics"] = list(topic["exclude"])
    return options


def _read_interval(provider: Mapping[str, Any], origin: str, note: Note) -> int | None:
    frequency = (provider.get("schedule") or {}).get("frequency")
    if frequency is None:
        return None
    seconds = read_seconds(frequency)
    if seconds is None:
        note(f"{origin}.schedule", f"{frequency!r} is not a duration")
        return None
    return max(30, seconds)
