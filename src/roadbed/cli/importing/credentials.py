"""The credentials of hosts in a Backstage configuration: never their values, only how they are given, and what for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from roadbed.cli.importing.configs import describe, resolve

_HOSTS = {"gitlab": "gitlab.com", "gitea": "", "bitbucketCloud": "bitbucket.org", "bitbucketServer": ""}
"""Integrations whose repositories are read with git, and the host of an entry that names none."""
_VALUES = ("token", "password", "appPassword")
_GITHUB = "github"


@dataclass(frozen=True)
class NotTaken:
    origin: str
    reason: str


@dataclass(frozen=True)
class Given:
    """What the configuration does not tell.

    Args:
        environment: of this shell, for `${VAR}` and `$env`.
        root: the folder that paths of `file` locations are relative to.
        secrets: host → reference of the secret with its token or password, or with the private key of its app.
    """

    environment: Mapping[str, str]
    root: Path
    secrets: Mapping[str, str]


class Answers(Protocol):
    """Where it is noted what is not taken, and what is to be asked."""

    not_taken: list[NotTaken]
    questions: dict[str, str]


def read_git_credentials(integrations: Any, given: Given, answers: Answers) -> dict[str, dict[str, str]]:
    """Return host → options of the locations of type git there; hosts without a reference become questions."""
    found: dict[str, dict[str, str]] = {}
    known = integrations if isinstance(integrations, Mapping) else {}
    for kind, usual_host in _HOSTS.items():
        entries = known.get(kind)
        for number, entry in enumerate(entries if isinstance(entries, Sequence) else ()):
            if isinstance(entry, Mapping):
                found |= _read_entry(entry, usual_host, f"integrations.{kind}[{number}]", given, answers)
    others = sorted(set(known) - {_GITHUB, *_HOSTS})
    if others:
        answers.not_taken.append(NotTaken("integrations", f"{', '.join(others)}: their repositories are not read yet"))
    return found


def _read_entry(
    entry: Mapping[str, Any], usual_host: str, origin: str, given: Given, answers: Answers
) -> dict[str, dict[str, str]]:
    secret = next((entry[name] for name in _VALUES if entry.get(name) is not None), None)
    host = str(resolve(entry.get("host"), given.environment) or usual_host)
    if secret is None or not host:
        return {}
    reference = given.secrets.get(host)
    if reference is None:
        answers.questions[host] = "token or password, " + describe(secret)
        reason = f"give --secret {host}=secret://PATH, where its credential is kept"
        answers.not_taken.append(NotTaken(origin, reason))
        return {}
    name = resolve(entry.get("username"), given.environment)
    return {host: {"token": reference, **({"username": str(name)} if name else {})}}
