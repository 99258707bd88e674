"""What a location of type `github` asks for: the JSON Schema of its options, and the options as a type."""

from collections.abc import Mapping
from typing import Any

from roadbed.integrations.github.types import Wanted

_SECRET = {"type": "string", "pattern": "^secret://[a-z0-9]", "maxLength": 410}
_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 200}, "maxItems": 100}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "token": {
            **_SECRET,
            "title": "Token",
            "description": "Reference of a secret that holds a token which may read contents, metadata and members.",
            "ui:placeholder": "secret://integrations/github",
        },
        "app_id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9._-]+$",
            "maxLength": 100,
            "title": "App id",
            "description": "Instead of a token: id or client id of a GitHub App that the organisation has installed.",
        },
        "private_key": {
            **_SECRET,
            "title": "Private key of the app",
            "description": "Reference of the secret that holds it, as PEM.",
            "ui:placeholder": "secret://integrations/github-app",
        },
        "path": {
            "type": "string",
            "title": "Files",
            "description": "Path or glob in each repository, such as **/catalog-info.yaml.",
            "default": "catalog-info.yaml",
            "minLength": 1,
            "maxLength": 400,
        },
        "branch": {
            "type": "string",
            "title": "Branch",
            "description": "Empty: the default branch of each repository.",
            "pattern": r"^[A-Za-z0-9][\w./+-]*$",
            "maxLength": 250,
        },
        "repositories": {
            **_NAMES,
            "title": "Repositories",
            "description": "Names or globs. Empty: all.",
        },
        "exclude_repositories": {**_NAMES, "title": "Without these repositories", "description": "Names or globs."},
        "topics": {**_NAMES, "title": "With one of these topics", "description": "Empty: with or without topics."},
        "exclude_topics": {**_NAMES, "title": "With none of these topics"},
        "archived": {"type": "boolean", "title": "Read archived repositories, too", "default": False},
        "forks": {"type": "boolean", "title": "Read forks, too", "default": True},
        "people": {
            "type": "boolean",
            "title": "Read users and teams",
            "description": "They become User and Group entities.",
            "default": True,
        },
        "namespace": {
            "type": "string",
            "title": "Namespace of users and teams",
            "description": "Empty: default.",
            "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            "maxLength": 63,
        },
        "webhook_secret": {
            **_SECRET,
            "title": "Secret of the webhook",
            "description": "Reference of the secret that GitHub signs deliveries with. Empty: no webhook is taken.",
            "ui:placeholder": "secret://integrations/github-webhook",
        },
    },
}


def read_wanted(options: Mapping[str, Any]) -> Wanted:
    """Return checked options with their defaults; empty texts of a form are none."""

    def text(name: str) -> str | None:
        return options.get(name) or None

    return Wanted(
        token=text("token"),
        app_id=text("app_id"),
        private_key=text("private_key"),
        repositories=tuple(options.get("repositories") or ()),
        exclude_repositories=tuple(options.get("exclude_repositories") or ()),
        topics=frozenset(options.get("topics") or ()),
        exclude_topics=frozenset(options.get("exclude_topics") or ()),
        has_archived=bool(options.get("archived", False)),
        has_forks=bool(options.get("forks", True)),
        branch=text("branch"),
        path=text("path") or "catalog-info.yaml",
        has_people=bool(options.get("people", True)),
        namespace=text("namespace"),
        webhook_secret=text("webhook_secret"),
    )


def find_fault(wanted: Wanted) -> str | None:
    """Return what is wrong with options that fit the schema, as a sentence."""
    if wanted.token is not None and wanted.app_id is not None:
        return "A token and an app are given; one of them is enough."
    if (wanted.app_id is None) != (wanted.private_key is None):
        return "An app needs both its id and its private key."
    return None
