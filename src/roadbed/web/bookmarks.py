"""What the reader follows and looked at last, as Home and the search show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from roadbed.catalog.contract import HEALTH_STATES, Bookmark, Health, Kinds, entity_href, icon_of, kind_word
from roadbed.core.db import ReadSession
from roadbed.kit.refs import parse_ref

_WORST_FIRST = {state: place for place, state in enumerate(reversed(Health))}


@dataclass(frozen=True)
class Mark:
    """One line. What is gone has no address."""

    bookmark: Bookmark
    href: str | None
    remove: str
    icon: str
    meta: str
    state: tuple[str, str] | None


def show_bookmarks(session: ReadSession, bookmarks: Sequence[Bookmark], *, is_ranked: bool = False) -> list[Mark]:
    """Return bookmarks as lines; ranked, what is gone comes first, then what is worst, then all others by title."""
    kinds = session.services.get(Kinds)
    marks = [
        Mark(
            bookmark=bookmark,
            href=entity_href(bookmark.ref) if bookmark.is_found else None,
            remove=f"{entity_href(bookmark.ref)}/unfollow",
            icon=icon_of(bookmark, kinds),
            meta=_describe(bookmark),
            state=HEALTH_STATES.get(Health(bookmark.health)) if bookmark.health in set(Health) else None,
        )
        for bookmark in bookmarks
    ]
    return sorted(marks, key=lambda mark: _rank(mark.bookmark)) if is_ranked else marks


def _rank(bookmark: Bookmark) -> tuple[bool, int, str]:
    state = bookmark.health
    worst = _WORST_FIRST[Health(state)] if state in set(Health) else len(_WORST_FIRST)
    return bookmark.is_found, worst, bookmark.title.lower()


def _describe(bookmark: Bookmark) -> str:
    if not bookmark.is_found:
        return f"{bookmark.ref} is not in the catalog any more"
    owner = parse_ref(bookmark.owner).shorten(default_kind="Group") if bookmark.owner else None
    return " · ".join(part for part in (kind_word(bookmark), owner) if part)
