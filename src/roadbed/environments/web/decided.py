"""The part of an approval's page that says what a deployment changes."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from roadbed.approvals.contract import ApprovalView
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.environments.access import ENVIRONMENT_READ
from roadbed.environments.service.deciding import SHOWN_COMMITS, CommitRange, Decision, find_decision
from roadbed.environments.web.words import health_words
from roadbed.kit.text import plural


async def load_decided(request: Request, approval: ApprovalView) -> Mapping[str, Any] | None:
    """Return what the deployment brings, and how it is with it in the environment before; None for other approvals."""
    services: Services = request.app.state.services
    may = services.get(DeciderService).has
    if approval.run_id is None or not may(await current_actor(request), ENVIRONMENT_READ):
        return None
    async with services.get(Database).read() as session:
        found = await find_decision(session, approval.run_id)
    if found is None:
        return None
    return {
        "decision": found,
        "tried_state": health_words(found.tried) if found.tried else None,
        "commits_words": _commits_words(found),
        "commits": found.commits.added[:SHOWN_COMMITS] if found.commits else [],
    }


def _commits_words(decision: Decision) -> str:
    """Say how far apart what runs and what is to run are."""
    if decision.replaced is None:
        return "none to compare with: nothing of it runs there"
    version, _ = decision.replaced
    if decision.commits is None:
        return f"not checked: the commits of {version} and {decision.deployment.version} are not both here"
    words = _range_words(decision.commits)
    return f"{words} since {version}" if words else f"none since {version}: it is the same commit"


def _range_words(commits: CommitRange) -> str:
    added, removed = (_count(found) for found in (commits.added, commits.removed))
    back = f"{removed} taken back" if commits.removed else ""
    return ", ".join(filter(None, (added if commits.added else "", back)))


def _count(found: list[Any]) -> str:
    """Return `3 commits`; of more than are shown only that there are more."""
    return f"more than {SHOWN_COMMITS} commits" if len(found) > SHOWN_COMMITS else plural(len(found), "commit")
