"""By what lists of entities can be sorted, in the words of the index."""

from roadbed.catalog.rules.index.entries import OWNER, SYSTEM, TITLE
from roadbed.catalog.rules.index.pages import Sorting

KEYS = {
    "title": TITLE,
    "name": "metadata.name",
    "kind": "kind",
    "type": "spec.type",
    "lifecycle": "spec.lifecycle",
    "owner": OWNER,
    "system": SYSTEM,
}
PATTERN = f"^-?({'|'.join(KEYS)})?$"


def read_sorting(text: str) -> Sorting:
    """Return the order that `owner`, or `-owner` for the other way round, stands for; by title when empty."""
    return Sorting(KEYS[text.removeprefix("-") or "title"], is_descending=text.startswith("-"))
