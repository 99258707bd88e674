"""What a Backstage configuration becomes here: locations with their settings, and what is not taken and why."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from roadbed.cli.importing.configs import Env, describe, resolve
from roadbed.cli.importing.credentials import Given, NotTaken, read_git_credentials
from roadbed.cli.importing.durations import read_seconds
from roadbed.cli.importing.providers import GithubWish, read_discovery, read_organisations, read_providers
from roadbed.cli.importing.rules import Rules

_BLOB = re.compile(r"(https://[^/]+)/([^/]+)/([^/]+)/(?:blob|tree|raw)/([^/]+)/(.+)")
_GITLAB = re.compile(r"(https://[^/]+)/(.+?)/-/(?:blob|tree|raw)/([^/]+)/(.+)")
_GITEA = re.compile(r"(https://[^/]+)/([^/]+)/([^/]+)/src/branch/([^/]+)/(.+)")
_CATALOG = {
    "import": "it is about Backstage's own pages",
    "readonly": "permissions say who may register locations",
    "stitchingStrategy": "there is none here",
    "useUrlReadersSearch": "globs are always searched",
    "processors": "processors are code of Backstage",
}
_TAKEN_OF_CATALOG = (
    "locations",
    "rules",
    "providers",
    "orphanStrategy",
    "processingInterval",
    "orphanProviderStrategy",
)


@dataclass(frozen=True)
class Wish:
    """A location to be registered, and the part of the configuration that it comes from."""

    origin: str
    type: str
    target: str
    options: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"type": self.type, "target": self.target, **self.options}


@dataclass
class Plan:
    """What is taken and what is not. `questions`: hosts whose credential is to be given, and how it is given now."""

    wishes: list[Wish] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)


def plan_import(config: Mapping[str, Any], given: Given) -> Plan:
    """Return what to do with a configuration."""
    plan = Plan()
    catalog = _object(config.get("catalog"))
    rules = Rules.read(resolve(catalog.get("rules"), given.environment), plan_not_taken(plan))
    shared = _read_shared(plan, catalog, given)
    wishes = list(_read_locations(plan, catalog, rules, given))
    credentials = _read_credentials(plan, config, given)
    by_host = read_git_credentials(config.get("integrations"), given, plan)
    by_host |= {host: options for host, options in credentials.items() if "token" in options}
    wishes = [_with_credential(wish, by_host) for wish in wishes]
    wishes += _read_github(plan, catalog, rules, given, credentials)
    for wish in wishes:
        if any((wish.type, wish.target) == (known.type, known.target) for known in plan.wishes):
            plan.not_taken.append(NotTaken(wish.origin, f"{wish.target} is taken already, from another part"))
            continue
        plan.wishes.append(Wish(wish.origin, wish.type, wish.target, {**shared, **wish.options}))
    _name_others(plan, config, catalog)
    return plan


def _with_credential(wish: Wish, by_host: Mapping[str, Mapping[str, str]]) -> Wish:
    """Return a location of type git with the credential of its host."""
    source = by_host.get(wish.target.removeprefix("https://").partition("/")[0]) if wish.type == "git" else None
    return wish if source is None else replace(wish, options={**wish.options, "source": dict(source)})


def plan_not_taken(plan: Plan) -> Any:
    """Return what notes something that is not taken."""

    def note(origin: str, reason: str) -> None:
        plan.not_taken.append(NotTaken(origin, reason))

    return note


def _read_shared(plan: Plan, catalog: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Return the settings that hold for all locations of the configuration."""
    shared: dict[str, Any] = {}
    if resolve(catalog.get("orphanStrategy"), given.environment) == "delete":
        shared["remove_orphans_after_hours"] = 0
    interval = resolve(catalog.get("processingInterval"), given.environment)
    if interval not in (None, False):
        seconds = read_seconds(interval)
        if seconds is None:
            plan.not_taken.append(NotTaken("catalog.processingInterval", f"{interval!r} is not a duration"))
        else:
            shared["interval_seconds"] = max(30, seconds)
    return shared


def _read_locations(plan: Plan, catalog: Mapping[str, Any], rules: Rules, given: Given) -> Iterator[Wish]:
    for number, raw in enumerate(catalog.get("locations") or ()):
        origin = f"catalog.locations[{number}]"
        location = _object(resolve(raw, given.environment))
        type_, target = location.get("type"), location.get("target")
        if not isinstance(type_, str) or not isinstance(target, str) or not target:
            plan.not_taken.append(NotTaken(origin, "it has no type or no target, or a variable of it is not set"))
            continue
        kinds = rules.kinds_of(type_, target, location.get("rules"), origin)
        if type_ == "file":
            yield Wish(origin, "file", str((given.root / target).absolute()), {"allowed_kinds": kinds})
        elif type_ == "url":
            kind, place = translate_url(target)
            yield Wish(origin, kind, place, {"allowed_kinds": kinds})
        elif type_ not in ("github-discovery", "github-org"):
            plan.not_taken.append(NotTaken(origin, f"nothing here reads locations of type {type_}"))


def translate_url(target: str) -> tuple[str, str]:
    """Return type and target of a location at an address: one of a file in a repository is read with git."""
    for pattern in (_GITLAB, _GITEA, _BLOB):
        match = pattern.fullmatch(target.partition("?")[0])
        if match is not None:
            host, *repository, branch, path = match.groups()
            branch = "" if branch in ("-", "HEAD") else branch
            return "git", f"{host}/{'/'.join(repository)}.git#{branch}:{path}"
    return "url", target


def _read_credentials(plan: Plan, config: Mapping[str, Any], given: Given) -> dict[str, dict[str, str]]:
    """Return host → options of its credential; hosts without a reference become questions."""
    found: dict[str, dict[str, str]] = {}
    for number, raw in enumerate(_object(config.get("integrations")).get("github") or ()):
        entry, origin = _object(raw), f"integrations.github[{number}]"
        host = str(resolve(entry.get("host"), given.environment) or "github.com")
        app = next(iter(entry.get("apps") or ()), None)
        is_given = entry.get("token") is not None or app is not None
        if not is_given:
            continue
        reference = given.secrets.get(host)
        if reference is None:
            secret = _object(app).get("privateKey") if app is not None else entry["token"]
            plan.questions[host] = ("private key of the app, " if app is not None else "token, ") + describe(secret)
            plan.not_taken.append(NotTaken(origin, f"give --secret {host}=secret://PATH, where its credential is kept"))
        elif app is None:
            found[host] = {"token": reference}
        else:
            found[host] = {
                "app_id": str(resolve(_object(app).get("appId"), given.environment)),
                "private_key": reference,
            }
        _check_api(plan, entry, host, origin, given)
    return found


def _check_api(plan: Plan, entry: Mapping[str, Any], host: str, origin: str, given: Given) -> None:
    api = resolve(entry.get("apiBaseUrl"), given.environment)
    usual = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    if isinstance(api, str) and api.rstrip("/") not in (usual, f"https://api.{host}"):
        plan.not_taken.append(NotTaken(f"{origin}.apiBaseUrl", f"the API of {host} is taken to be at {usual}"))


def _read_github(
    plan: Plan, catalog: Mapping[str, Any], rules: Rules, given: Given, credentials: Mapping[str, dict[str, str]]
) -> Iterator[Wish]:
    """Yield one location for each organisation, from all parts that name it."""
    providers = _object(resolve(_without_secrets(catalog.get("providers")), given.environment))
    note = plan_not_taken(plan)
    locations = resolve(catalog.get("locations"), given.environment) or ()
    found: dict[str, GithubWish] = {}
    for wish in (
        *read_discovery(locations, note),
        *read_providers(providers.get("github"), note),
        *read_organisations(providers.get("githubOrg"), note),
    ):
        known = found.get(wish.target)
        if known is not None and known.has_repositories and wish.has_repositories:
            note(
                wish.origin, f"{wish.target} is taken already, from {known.origin}; one location reads an organisation"
            )
            continue
        found[wish.target] = wish if known is None else known.joined(wish)
    for wish in found.values():
        kinds = rules.kinds_of("url", wish.target, None, wish.origin)
        allowed = sorted({*kinds, "User", "Group"}) if wish.has_people else kinds
        host = wish.target.removeprefix("https://").partition("/")[0]
        source = {**credentials.get(host, {}), **wish.source()}
        options: dict[str, Any] = {"allowed_kinds": allowed, "source": source}
        if wish.interval_seconds is not None:
            options["interval_seconds"] = wish.interval_seconds
        yield Wish(wish.origin, "github", wish.target, options)
    others = sorted(set(providers) - {"github", "githubOrg"})
    if others:
        note("catalog.providers", f"{', '.join(others)}: nothing here reads these yet")


def _name_others(plan: Plan, config: Mapping[str, Any], catalog: Mapping[str, Any]) -> None:
    for name in sorted(set(catalog) - set(_TAKEN_OF_CATALOG)):
        plan.not_taken.append(NotTaken(f"catalog.{name}", _CATALOG.get(name, "it is not known here")))
    others = sorted(set(config) - {"catalog", "integrations"})
    if others:
        plan.not_taken.append(NotTaken(", ".join(others), "no part of the catalog"))


def _without_secrets(value: Any) -> Any:
    return value if not isinstance(value, Env) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
