"""The columns of an export: facts about an entity as the cells of a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from roadbed.catalog.errors import ColumnUnknown
from roadbed.catalog.rules.suggestions import say_closest
from roadbed.catalog.types import EntitySummary, Status
from roadbed.kit.text import iso

MOST_COLUMNS = 50


@dataclass(frozen=True)
class Exported:
    """An entity, and how it is; `health` is None where nothing is reported, or not kept."""

    entity: EntitySummary
    health: Status | None


@dataclass(frozen=True)
class Column:
    name: str
    read: Callable[[Exported], Any]


_COLUMNS: dict[str, Callable[[Exported], Any]] = {
    "ref": lambda row: str(row.entity.ref),
    "kind": lambda row: row.entity.ref.kind,
    "namespace": lambda row: row.entity.ref.namespace,
    "name": lambda row: row.entity.ref.name,
    "title": lambda row: row.entity.title,
    "description": lambda row: row.entity.description,
    "type": lambda row: row.entity.type,
    "lifecycle": lambda row: row.entity.lifecycle,
    "owner": lambda row: row.entity.owner,
    "system": lambda row: row.entity.system,
    "tags": lambda row: " ".join(row.entity.tags),
    "health": lambda row: row.health.state if row.health else None,
    "updated_at": lambda row: iso(row.entity.updated_at),
    "orphaned_at": lambda row: iso(row.entity.orphaned_at) if row.entity.orphaned_at else None,
    "file": lambda row: row.entity.file,
    "uid": lambda row: row.entity.uid,
}
DEFAULT_COLUMNS = tuple(name for name in _COLUMNS if name not in ("orphaned_at", "file", "uid"))
_PARTS = ("annotation", "label", "spec")
"""What a column may be of beside those: `annotation:example.com/tier`, `label:tier`, `spec:tier`."""


def find_columns(names: Sequence[str]) -> list[Column]:
    """Return the columns of these names, or the usual ones; several names may stand in one, with commas between.

    Raises:
        ColumnUnknown: there is none of that name, or there are too many.
    """
    wanted = [name.strip() for text in names for name in text.split(",") if name.strip()] or list(DEFAULT_COLUMNS)
    if len(wanted) > MOST_COLUMNS:
        raise ColumnUnknown(f"{len(wanted)} columns are asked for; at most {MOST_COLUMNS} are given.")
    return [Column(name, _COLUMNS.get(name) or _find_part(name)) for name in wanted]


def write_cells(columns: Sequence[Column], row: Exported) -> list[str]:
    """Return the cells of a row."""
    return [_write(column.read(row)) for column in columns]


def _find_part(name: str) -> Callable[[Exported], Any]:
    part, _, key = name.partition(":")
    if part not in _PARTS or not key:
        hint = (
            say_closest(name, list(_COLUMNS)) or f"There are: {', '.join(_COLUMNS)}, annotation:…, label:… and spec:…"
        )
        raise ColumnUnknown(f"There is no column {name}.", hint=hint)
    return lambda row: _part_of(row.entity, part).get(key)


def _part_of(entity: EntitySummary, part: str) -> Mapping[str, Any]:
    if part == "spec":
        return entity.spec
    found: Mapping[str, Any] = entity.document["metadata"].get(f"{part}s") or {}
    return found


def _write(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        return orjson.dumps(value).decode()
    return str(value)
