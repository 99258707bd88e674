"""By what lists of entities can be sorted, in the words of the index."""

from roadbed.catalog.rules.index.entries import OWNER, SYSTEM, TITLE
from roadbed.catalog.rules.index.pages import Sorting
from roadbed.catalog.rules.index.ranks import CHANGED, SEVERITY

KEYS = {
    "title": TITLE,
    "name": "metadata.name",
    "kind": "kind",
    "type": "spec.type",
    "lifecycle": "spec.lifecycle",
    "owner": OWNER,
    "system": SYSTEM,
    "health": SEVERITY,
    "updated_at": CHANGED,
}
PATTERN = f"^-?({'|'.join(KEYS)})?$"
_OF_NOW = ("health",)
"""What is not kept, so that the catalog of once has no order by it."""


def list_sorts(*, is_past: bool) -> list[str]:
    """Return by what entities can be sorted as they are, or as they were."""
    return [name for name in KEYS if not (is_past and name in _OF_NOW)]


def read_sorting(text: str, *, is_past: bool = False) -> Sorting:
    """Return the order that `owner`, or `-owner` for the other way round, stands for.

    By title when empty, and by what is not kept in the past.
    """
    name = text.removeprefix("-") or "title"
    if name not in list_sorts(is_past=is_past):
        return Sorting(TITLE)
    return Sorting(KEYS[name], is_descending=text.startswith("-"))
