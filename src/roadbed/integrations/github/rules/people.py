"""What users and teams become in the catalog: documents of kind User and Group, one a file."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from roadbed.integrations.github.types import Organisation, People, Person, Team
from roadbed.kit.jsons import write_json

TEAMS, USERS = "@teams/", "@users/"
"""Folders of the files that are made here. No repository has such a name."""
_API_VERSION = "backstage.io/v1alpha1"
_VIEW_URL = "backstage.io/view-url"


def write_people(organisation: Organisation, people: People, namespace: str | None) -> dict[str, bytes]:
    """Return path → document, as JSON, of all teams and users."""
    known = {team.slug for team in people.teams}
    direct = find_direct_teams(people)
    files = {
        f"{TEAMS}{team.slug}.yaml": _team(organisation, team, namespace, parent=team.parent in known)
        for team in people.teams
    }
    files |= {
        f"{USERS}{person.login}.yaml": _user(person, sorted(direct.get(person.login, ())), namespace)
        for person in people.persons
    }
    return {path: write_json(document) for path, document in files.items()}


def find_direct_teams(people: People) -> Mapping[str, set[str]]:
    """Return login → slugs of the teams that somebody is in and of which no team below has them, too.

    GitHub lists the members of a team with those of the teams below it, and does not tell which are which.
    """
    below: dict[str, set[str]] = defaultdict(set)
    for team in people.teams:
        if team.parent is not None:
            below[team.parent] |= team.members
    direct: dict[str, set[str]] = defaultdict(set)
    for team in people.teams:
        for login in team.members - below[team.slug]:
            direct[login].add(team.slug)
    return direct


def _team(organisation: Organisation, team: Team, namespace: str | None, *, parent: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": team.slug}
    if team.description:
        metadata["description"] = team.description
    annotations = {"github.com/team-slug": f"{organisation.name}/{team.slug}", _VIEW_URL: team.url}
    spec: dict[str, Any] = {"type": "team", "profile": {"displayName": team.name}, "children": []}
    if parent:
        spec["parent"] = team.parent
    return _entity("Group", metadata, annotations, spec, namespace)


def _user(person: Person, teams: list[str], namespace: str | None) -> dict[str, Any]:
    profile = {"displayName": person.name or person.login, "picture": person.picture}
    if person.email:
        profile["email"] = person.email
    annotations = {"github.com/user-login": person.login, _VIEW_URL: person.url}
    spec = {"profile": profile, "memberOf": teams}
    return _entity("User", {"name": person.login}, annotations, spec, namespace)


def _entity(
    kind: str, metadata: dict[str, Any], annotations: dict[str, str], spec: dict[str, Any], namespace: str | None
) -> dict[str, Any]:
    if namespace is not None:
        metadata = {**metadata, "namespace": namespace}
    return {
        "apiVersion": _API_VERSION,
        "kind": kind,
        "metadata": {**metadata, "annotations": annotations},
        "spec": spec,
    }
