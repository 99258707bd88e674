"""Reading users and teams of an organisation. They change seldom: they are asked for once an hour, or when told."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from roadbed.catalog.contract import Memory
from roadbed.integrations.github.service.client import GithubClient
from roadbed.integrations.github.service.concurrency import run_all
from roadbed.integrations.github.types import People, Person, Team
from roadbed.kit.clock import now

STALE = "stale:people"
"""Key of the memory under which a webhook tells that people changed."""
_KEY, _PROFILE = "people", "profile:"
_KEPT = timedelta(hours=1)
_PROFILE_KEPT = timedelta(days=7)


class PeopleReader:
    """The people of one organisation, as they are remembered or asked for."""

    def __init__(self, client: GithubClient, memory: Memory, organisation: str) -> None:
        self._client = client
        self._memory = memory
        self._path = f"/orgs/{organisation}"

    async def read(self) -> People:
        """Return users and teams.

        Raises:
            LocationUnreadable, ReadLater.
        """
        known = self._memory.find(_KEY)
        if known is None or self._memory.find(STALE) is not None or _is_older(known["at"], _KEPT):
            known = {"at": now().isoformat(), **await self._ask()}
            self._memory.put(_KEY, known)
            self._memory.forget(STALE)
        teams = tuple(Team(**{**team, "members": frozenset(team["members"])}) for team in known["teams"])
        return People(teams, tuple(Person(**person) for person in known["persons"]))

    async def _ask(self) -> dict[str, Any]:
        teams = await self._client.list_all(f"{self._path}/teams", _reduce_team) or []
        found = await run_all(
            [
                partial(self._client.list_all, f"{self._path}/teams/{team['slug']}/members", _reduce_user)
                for team in teams
            ]
        )
        members = await self._client.list_all(f"{self._path}/members", _reduce_user) or []
        persons: dict[str, dict[str, Any]] = {}
        for team, listed in zip(teams, found, strict=True):
            team["members"] = sorted(user["login"] for user in listed or [])
        for user in (*members, *(user for listed in found for user in listed or [])):
            persons.setdefault(user["login"], user)
        profiles = await run_all([partial(self._find_profile, login) for login in persons])
        for user, profile in zip(persons.values(), profiles, strict=True):
            user |= {"name": profile["name"], "email": profile["email"]}
        self._forget_others(persons.keys(), {team["slug"] for team in teams})
        return {"teams": teams, "persons": [persons[login] for login in sorted(persons)]}

    async def _find_profile(self, login: str) -> dict[str, Any]:
        """Return name and e-mail; lists do not tell them, and they change less often than anything else."""
        known = self._memory.find(_PROFILE + login)
        if known is not None and not _is_older(known["at"], _PROFILE_KEPT):
            return known
        answer = await self._client.get(f"/users/{login}")
        body = answer.body if isinstance(answer.body, dict) else {}
        found = {"at": now().isoformat(), "name": body.get("name") or "", "email": body.get("email") or ""}
        self._memory.put(_PROFILE + login, found)
        return found

    def _forget_others(self, logins: Any, slugs: set[str]) -> None:
        """Forget who is not there any more."""
        for key in self._memory.list_keys(_PROFILE):
            if key.removeprefix(_PROFILE) not in logins:
                self._memory.forget(key)
        self._client.forget(lambda path: _is_of_other_team(path, f"{self._path}/teams/", slugs))


def _is_of_other_team(path: str, prefix: str, slugs: set[str]) -> bool:
    return path.startswith(prefix) and path.removeprefix(prefix).partition("/")[0] not in slugs


def _is_older(text: str, age: timedelta) -> bool:
    return datetime.fromisoformat(text) < now() - age


def _reduce_team(team: dict[str, Any]) -> dict[str, Any]:
    parent = team.get("parent")
    return {
        "slug": team["slug"],
        "name": team["name"],
        "description": team.get("description") or "",
        "url": team["html_url"],
        "parent": parent["slug"] if parent else None,
    }


def _reduce_user(user: dict[str, Any]) -> dict[str, Any]:
    return {"login": user["login"], "url": user["html_url"], "picture": user["avatar_url"]}
