"""What other git hosts send when somebody pushed, and whether it is theirs: GitHub, Gitea and Forgejo, GitLab."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_EVENTS = ("x-github-event", "x-gitea-event", "x-gitlab-event")  # Forgejo and Gitea send GitHub's names as well
_PUSHES = ("push", "Push Hook")
_DELIVERIES = ("x-github-delivery", "x-gitea-delivery", "idempotency-key", "x-gitlab-event-uuid")
_BRANCH = "refs/heads/"
_MAX_ID = 200


@dataclass(frozen=True)
class BranchMove:
    """A branch that was pushed to."""

    branch: str
    is_default_branch: bool


def is_authentic(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Tell whether a delivery proves that its sender knows the secret.

    GitHub and Gitea sign the body with HMAC-SHA256, GitLab sends the secret itself. Names of headers are lower-case.
    """
    signed = headers.get("x-hub-signature-256", "").removeprefix("sha256=") or headers.get("x-gitea-signature", "")
    if signed:
        wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signed.encode(), wanted.encode())
    return hmac.compare_digest(headers.get("x-gitlab-token", "").encode(), secret.encode())


def find_delivery_id(headers: Mapping[str, str], body: bytes) -> str:
    """Return what names a delivery, also when it is sent again; the digest of the body where the host names none."""
    given = next((headers[name] for name in _DELIVERIES if headers.get(name)), None)
    return given[:_MAX_ID] if given else hashlib.sha256(body).hexdigest()


def is_push(headers: Mapping[str, str]) -> bool:
    return any(headers.get(name) in _PUSHES for name in _EVENTS)


def find_move(payload: Any) -> BranchMove | None:
    """Return the branch that a push names; None when it was a tag, or is no push.

    Where the host does not say which branch is the default one, it may be this one.
    """
    ref = payload.get("ref") if isinstance(payload, dict) else None
    if not isinstance(ref, str) or not ref.startswith(_BRANCH):
        return None
    about = payload.get("repository") or {}
    project = payload.get("project") or {}
    default = (about if isinstance(about, dict) else {}).get("default_branch") or (
        project if isinstance(project, dict) else {}
    ).get("default_branch")
    branch = ref.removeprefix(_BRANCH)
    return BranchMove(branch, default is None or default == branch)
