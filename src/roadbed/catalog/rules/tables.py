"""The columns of entities as a table: of the list page, of its exports, of the views that people save."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from roadbed.catalog.errors import ColumnUnknown
from roadbed.catalog.rules.suggestions import say_closest
from roadbed.catalog.types import EntitySummary, Status
from roadbed.kit.text import iso

MOST_COLUMNS = 50


@dataclass(frozen=True)
class Exported:
    """An entity, how it is, and its computed properties; `health` is None where nothing is reported, or not kept."""

    entity: EntitySummary
    health: Status | None
    computed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """`label` is its heading for people. `part` and `key` are of those that name a key: `spec`, `tier`."""

    name: str
    label: str
    read: Callable[[Exported], Any]
    part: str = ""
    key: str = ""


_COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("ref", "Ref", lambda row: str(row.entity.ref)),
        Column("kind", "Kind", lambda row: row.entity.ref.kind),
        Column("namespace", "Namespace", lambda row: row.entity.ref.namespace),
        Column("name", "Name in ref", lambda row: row.entity.ref.name),
        Column("title", "Name", lambda row: row.entity.title),
        Column("description", "Description", lambda row: row.entity.description),
        Column("type", "Type", lambda row: row.entity.type),
        Column("lifecycle", "Lifecycle", lambda row: row.entity.lifecycle),
        Column("owner", "Owner", lambda row: row.entity.owner),
        Column("system", "System", lambda row: row.entity.system),
        Column("tags", "Tags", lambda row: " ".join(row.entity.tags)),
        Column("health", "Health", lambda row: row.health.state if row.health else None),
        Column("updated_at", "Changed", lambda row: iso(row.entity.updated_at)),
        Column("orphaned_at", "Orphan since", lambda row: _iso_or_none(row.entity.orphaned_at)),
        Column("file", "File", lambda row: row.entity.file),
        Column("uid", "UID", lambda row: row.entity.uid),
    )
}
DEFAULT_COLUMNS = tuple(name for name in _COLUMNS if name not in ("orphaned_at", "file", "uid"))
LISTED_COLUMNS = ("owner", "system", "lifecycle", "health", "updated_at")
"""What the list page shows beside the name, unless others are chosen."""
OFFERED_COLUMNS = tuple(column for column in _COLUMNS.values() if column.name != "title")
"""What may be chosen for the list page by a click; each row begins with the title anyway."""
COMPUTED = "computed"
_PARTS = ("annotation", "label", "spec", COMPUTED)
"""What a column may be of beside those: `annotation:example.com/tier`, `label:tier`, `spec:tier`, `computed:age`."""


def find_columns(names: Sequence[str], *, usual: Sequence[str] = DEFAULT_COLUMNS) -> list[Column]:
    """Return the columns of these names, or the usual ones; several names may stand in one, with commas between.

    Raises:
        ColumnUnknown: there is none of that name, or there are too many.
    """
    split = [name.strip() for text in names for name in text.split(",")]
    wanted = list(dict.fromkeys(name for name in split if name)) or list(usual)
    if len(wanted) > MOST_COLUMNS:
        raise ColumnUnknown(f"{len(wanted)} columns are asked for; at most {MOST_COLUMNS} are given.")
    return [_COLUMNS.get(name) or _find_part(name) for name in wanted]


def write_cells(columns: Sequence[Column], row: Exported) -> list[str]:
    """Return the cells of a row."""
    return [_write(column.read(row)) for column in columns]


def _find_part(name: str) -> Column:
    part, _, key = name.partition(":")
    if part not in _PARTS or not key:
        ways = ", ".join(f"{part}:…" for part in _PARTS)
        hint = say_closest(name, list(_COLUMNS)) or f"There are: {', '.join(_COLUMNS)}, {ways}"
        raise ColumnUnknown(f"There is no column {name}.", hint=hint)
    return Column(name, key, lambda row: _part_of(row, part).get(key), part, key)


def _part_of(row: Exported, part: str) -> Mapping[str, Any]:
    if part == "spec":
        return row.entity.spec
    if part == COMPUTED:
        return row.computed
    found: Mapping[str, Any] = row.entity.document["metadata"].get(f"{part}s") or {}
    return found


def _iso_or_none(at: Any) -> str | None:
    return iso(at) if at else None


def _write(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        return orjson.dumps(value).decode()
    return str(value)
