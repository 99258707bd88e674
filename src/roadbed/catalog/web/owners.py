"""What the page of a group or a person has beside that of other entities: everything it owns, and who belongs to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from roadbed.approvals.contract import APPROVAL_READ, list_waiting_of
from roadbed.catalog.rules.health import is_bad, sort_key
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.model import split_words
from roadbed.catalog.rules.words import health_of, icon_of, kind_word, state_of, word_of
from roadbed.catalog.service import listing, reading
from roadbed.catalog.service.ownership import OWNERS, Ownership, find_ownership
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import EntityFilter, EntitySummary, Status, entity_href
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.kit.refs import parse_ref

TOLD = frozenset(("ownerOf", "hasMember", "parentOf"))
"""The relations that need no card of their own on the page of an owner."""
_OWNED = 50
_MEMBERS = 100
_GROUPS = 50
_APPROVALS = 10


async def load_owner(
    session: ReadSession, actor: Actor, entity: EntitySummary, kinds: Kinds
) -> Mapping[str, Any] | None:
    """Return what the page of a group or person shows; None for other entities."""
    if entity.ref.kind not in OWNERS:
        return None
    ownership = await find_ownership(session, entity.ref)
    ref = str(entity.ref)
    may_see = session.services.get(DeciderService).has(actor, APPROVAL_READ)
    return {
        "ownership": ownership,
        "kinds": _by_kind(ownership, kinds, ref),
        "health": _by_health(ownership),
        "rows": await _list_owned(session, kinds, ref),
        "total": ownership.direct.total + ownership.inherited.total,
        "all_href": f"/catalog?owner={ref}&inherited=true",
        "own_href": f"/catalog?owner={ref}",
        "groups": [(share, entity_href(share.ref)) for share in ownership.groups[1 : _GROUPS + 1]],
        "members": await _list_members(session, ownership),
        "approvals": await list_waiting_of(session, [ref], limit=_APPROVALS) if may_see else [],
        "email": _email_of(entity),
    }


def _by_kind(ownership: Ownership, kinds: Kinds, ref: str) -> list[dict[str, Any]]:
    direct, inherited = ownership.direct.kinds, ownership.inherited.kinds
    names = sorted(
        direct.keys() | inherited.keys(), key=lambda name: (-direct.get(name, 0) - inherited.get(name, 0), name)
    )
    counts = {name: direct.get(name, 0) + inherited.get(name, 0) for name in names}
    return [
        {
            "label": _word_of(kinds, name, is_one=count == 1),
            "icon": definition.icon if (definition := kinds.find(name)) else "box",
            "count": count,
            "href": f"/catalog?owner={ref}&inherited=true&kind={name}",
        }
        for name, count in counts.items()
    ]


def _word_of(kinds: Kinds, name: str, *, is_one: bool) -> str:
    """Return what one or several of a kind are called within a line: `systems`, `API`, `APIs`."""
    definition = kinds.find(name)
    if definition is None:
        return name
    one = split_words(definition.name)
    if one[:2].isupper():
        return one if is_one else f"{one}s"
    return (one if is_one else definition.plural.replace("-", " ")).lower()


def _by_health(ownership: Ownership) -> list[tuple[tuple[str, str], int]]:
    """Return each reported health with how many have it, the worst first."""
    found: dict[str, int] = dict(ownership.direct.health)
    for state, count in ownership.inherited.health.items():
        found[state] = found.get(state, 0) + count
    return [(word_of(state), found[state]) for state in sorted(found, key=sort_key)]


async def _list_owned(session: ReadSession, kinds: Kinds, ref: str) -> list[dict[str, Any]]:
    page = await listing.list_page(session, EntityFilter(owners=(ref,), is_inherited=True), cursor=None, limit=_OWNED)
    statuses = await list_statuses(session, [entity.ref for entity in page.items])
    titles = await reading.get_titles(session, [entity.owner for entity in page.items if entity.owner])
    return [
        {
            "title": entity.title,
            "href": entity.href,
            "icon": icon_of(entity, kinds),
            "word": kind_word(entity),
            "through": None if str(entity.owner) == ref else titles.get(entity.owner) if entity.owner else None,
            "through_href": entity_href(entity.owner) if entity.owner else None,
            "health": state_of(health_of(statuses[entity.ref])),
            "can_be_healthy": entity.can_be_healthy,
        }
        for entity in sorted(page.items, key=lambda entity: _urgency(statuses[entity.ref]))
    ]


def _urgency(statuses: Sequence[Status]) -> int:
    """Return by what rows are sorted: what fails is first, then what is degraded, then the others as they stand."""
    health = health_of(statuses)
    return sort_key(health.state) if health is not None and is_bad(health.state) else 0


async def _list_members(session: ReadSession, ownership: Ownership) -> list[dict[str, Any]]:
    """Return who is in the group itself, then who is in one below; each once."""
    through: dict[str, str | None] = {}
    for share in ownership.groups:
        for member in share.members:
            through.setdefault(member, None if share.steps == 0 else share.title)
    refs = [parse_ref(member) for member in list(through)[:_MEMBERS]]
    titles = await reading.get_titles(session, refs)
    return [
        {
            "title": titles.get(ref) or ref.shorten(default_kind="User"),
            "href": entity_href(ref) if ref in titles else None,
            "through": through[str(ref)],
        }
        for ref in refs
    ]


def _email_of(entity: EntitySummary) -> str | None:
    profile = entity.spec.get("profile")
    email = profile.get("email") if isinstance(profile, dict) else None
    return email if isinstance(email, str) and "@" in email and not set(email) & set(" <>\"'?&") else None
