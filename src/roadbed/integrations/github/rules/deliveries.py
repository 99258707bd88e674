"""What a delivery of a webhook names: a repository that moved, or people that changed."""

from typing import Any

from roadbed.integrations.github.types import Delivery

_OF_REPOSITORIES = ("push", "repository")
_OF_PEOPLE = ("organization", "member", "membership", "team", "team_add")
_BRANCH = "refs/heads/"


def read_delivery(event: str, payload: Any) -> Delivery | None:
    """Return what a delivery names; None when it is of no concern to the catalog, or not of an organisation."""
    if not isinstance(payload, dict) or event not in (*_OF_REPOSITORIES, *_OF_PEOPLE):
        return None
    repository = _part(payload, "repository")
    organisation = _part(payload, "organization").get("login") or _part(repository, "owner").get("login")
    if not isinstance(organisation, str):
        return None
    if event in _OF_PEOPLE:
        return Delivery(organisation, has_people_changed=True)
    name = repository.get("name")
    if not isinstance(name, str):
        return None
    if event == "repository":
        return Delivery(organisation, repository=name)
    ref = payload.get("ref")
    if not isinstance(ref, str) or not ref.startswith(_BRANCH):
        return None
    default = repository.get("default_branch")
    return Delivery(
        organisation,
        repository=name,
        branch=ref.removeprefix(_BRANCH),
        default_branch=default if isinstance(default, str) else None,
    )


def _part(payload: dict[str, Any], name: str) -> dict[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}
