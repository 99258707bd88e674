"""The columns of the list page: which are shown, which may be chosen, and the cells of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.computed import ComputedValue
from roadbed.catalog.rules.tables import COMPUTED, LISTED_COLUMNS, OFFERED_COLUMNS, Column, Exported, find_columns
from roadbed.catalog.schemas.views import ListQuery
from roadbed.catalog.service import reading
from roadbed.catalog.service.computing import compute_named
from roadbed.catalog.types import EntitySummary
from roadbed.catalog.web.values import Shown, Titles, label_of, list_ends, show_plain, show_value
from roadbed.core.db import ReadSession
from roadbed.kit.refs import EntityRef

_LEAVE_FIRST = {"lifecycle": "opt", "system": "opt2"}
"""Of the usual columns, those that a narrow list goes without."""
_OWN_LOOK = frozenset((*LISTED_COLUMNS, "orphaned_at"))
_MONO = frozenset(("ref", "name", "namespace", "file", "uid"))
_MOST_FIELDS = 30
_MOST_COMPUTED = 20


@dataclass(frozen=True)
class Choice:
    """The columns of a list: the kind that it is of, if of one, and whether somebody chose them."""

    columns: Sequence[Column]
    kind: KindDefinition | None
    is_chosen: bool

    @property
    def names(self) -> set[str]:
        return {column.name for column in self.columns}

    @property
    def heads(self) -> list[dict[str, Any]]:
        """Return the headings as `ui.table` takes them, without that of the name."""
        return [self._head(column) for column in self.columns]

    def _head(self, column: Column) -> dict[str, Any]:
        head: dict[str, Any] = {"label": self.label(column)}
        if column.name == "updated_at":
            head["num"] = True
        if not self.is_chosen and column.name in _LEAVE_FIRST:
            head[_LEAVE_FIRST[column.name]] = True
        return head

    def label(self, column: Column) -> str:
        if self.kind is not None and column.part in ("spec", COMPUTED):
            return label_of(self.kind, column.key)[0]
        return column.label

    @property
    def others(self) -> str:
        """The chosen columns that have no box to tick, as one types them."""
        offered = {column.name for column in (*OFFERED_COLUMNS, *_list_fields(self.kind))}
        return ", ".join(column.name for column in self.columns if column.name not in offered)

    @property
    def offers(self) -> list[dict[str, Any]]:
        """What may be ticked, the columns of the kind behind those that all have."""
        return [
            {"value": column.name, "label": self.label(column), "is_checked": column.name in self.names}
            for column in (*OFFERED_COLUMNS, *_list_fields(self.kind))
        ]


def choose(query: ListQuery, kinds: Kinds) -> Choice:
    """Return the columns that a query asks for; else those of the one kind that it lists; else the usual ones."""
    kind = kinds.find(query.kind[0]) if len(query.kind) == 1 else None
    usual: Sequence[str] = LISTED_COLUMNS
    if kind is not None and kind.columns and query.as_of is None:
        usual = ("owner", *(_name_field(kind, name) for name in kind.columns), "updated_at")
    elif query.unowned and query.as_of is None:
        usual = LISTED_COLUMNS[:-1]  # the way to mend it takes the place
    return Choice(find_columns(query.columns, usual=usual), kind, is_chosen=bool(query.columns))


async def make_cells(
    session: ReadSession, kinds: Kinds, choice: Choice, rows: Sequence[Exported], *, is_now: bool
) -> list[list[tuple[str, Shown]]]:
    """Return the cells of each row: what has a look of its own on the page has its name there, all others none."""
    entities = [row.entity for row in rows]
    names = {column.key for column in choice.columns if column.part == COMPUTED}
    computed = compute_named(session, entities, names) if names and is_now else {}
    fields = [column.key for column in choice.columns if column.part == "spec"]
    titles = await _titles(session, kinds, entities, fields)
    return [
        [
            _show(column, row, kinds.find(row.entity.ref.kind), computed.get(row.entity.ref, {}), titles)
            for column in choice.columns
        ]
        for row in rows
    ]


async def _titles(session: ReadSession, kinds: Kinds, entities: Sequence[EntitySummary], fields: list[str]) -> Titles:
    ends: list[EntityRef] = []
    for entity in entities:
        definition = kinds.find(entity.ref.kind)
        ends += list_ends(entity, definition, fields) if definition is not None and fields else ()
    return await reading.get_titles(session, ends) if ends else {}


def _show(
    column: Column,
    row: Exported,
    definition: KindDefinition | None,
    computed: Mapping[str, ComputedValue],
    titles: Titles,
) -> tuple[str, Shown]:
    if column.name in _OWN_LOOK:
        return column.name, Shown(column.label, "none")
    known = computed if column.part == COMPUTED else {}
    if definition is not None and (column.part == "spec" or column.key in known):
        return "", show_value(row.entity, definition, column.key, known, titles)
    return "mono" if column.name in _MONO else "", show_plain(column.label, column.read(row))


def _name_field(kind: KindDefinition, name: str) -> str:
    """Return the column of a field of a kind's layout."""
    return f"{COMPUTED if any(one.name == name for one in kind.computed) else 'spec'}:{name}"


def _list_fields(kind: KindDefinition | None) -> list[Column]:
    """Return the columns that entities of a kind have beside those of all."""
    if kind is None:
        return []
    shared = {column.name for column in OFFERED_COLUMNS}
    own = [f"spec:{name}" for name in kind.form.get("properties", {}) if name not in shared and "," not in name]
    computed = [f"{COMPUTED}:{one.name}" for one in kind.computed]
    return find_columns((), usual=[*own[:_MOST_FIELDS], *computed[:_MOST_COMPUTED]])
