"""Values of a spec and computed properties as pages show them, in sections and columns; what forms offer for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.kinds import KindDefinition, Relation
from roadbed.catalog.rules.kinds.computed import ComputedType, ComputedValue
from roadbed.catalog.rules.kinds.model import Section, split_words
from roadbed.catalog.rules.relations import list_targets
from roadbed.catalog.service import listing
from roadbed.catalog.types import EntitySummary, entity_href
from roadbed.core import forms
from roadbed.core.db import ReadSession
from roadbed.kit.refs import EntityRef, InvalidRef
from roadbed.kit.yamls import write_yaml

_LINK_SCHEMES = ("https://", "http://")
_LONGEST = 4_000
_MOST_ITEMS = 50
_OFFERED = 200


@dataclass(frozen=True)
class Shown:
    """One value. `form` tells how it is shown: none, text, link, ends, time, code, error.

    `value` of `ends` are those of relations: label, address and whether it is there.
    """

    label: str
    form: str
    value: Any = None
    help: str = ""


Titles = Mapping[EntityRef, str]


def list_sections(
    entity: EntitySummary, definition: KindDefinition, computed: Mapping[str, ComputedValue], titles: Titles
) -> list[tuple[str, list[Shown]]]:
    """Return the cards of an entity's page; without a layout one with everything that relations do not show already."""
    sections: Sequence[Section] = definition.sections
    if not sections:
        names = [name for name in definition.form.get("properties", {}) if name not in definition.reference_fields]
        sections = [Section("Details", (*names, *computed))]
    found = [
        (section.title, [show_value(entity, definition, name, computed, titles) for name in section.fields])
        for section in sections
    ]
    return [(title, values) for title, values in found if values]


def laid_out_relations(definition: KindDefinition | None) -> set[str]:
    """Return the relations that the layout of a kind shows already."""
    fields = {name for section in (definition.sections if definition else ()) for name in section.fields}
    return {relation.type for relation in (definition.relations if definition else ()) if relation.field in fields}


def show_value(
    entity: EntitySummary,
    definition: KindDefinition,
    name: str,
    computed: Mapping[str, ComputedValue],
    titles: Titles,
) -> Shown:
    """Return a field of the spec, or a computed property, as it is shown."""
    label, help_text = label_of(definition, name)
    if name in computed:
        found = computed[name]
        if found.error:
            return Shown(label, "error", found.error.splitlines()[0], help_text)
        if found.property.type is ComputedType.TIMESTAMP and found.value is not None:
            return Shown(label, "text", str(found.value)[:16].replace("T", " "), help_text)
        return show_plain(label, found.value, help_text)
    relation = next((one for one in definition.relations if one.field == name), None)
    if relation is not None:
        ends = _ends(entity, definition, relation, titles)
        return Shown(label, "ends", ends, help_text) if ends else show_plain(label, entity.spec.get(name), help_text)
    return show_plain(label, entity.spec.get(name), help_text)


def label_of(definition: KindDefinition, name: str) -> tuple[str, str]:
    """Return the heading of a field or computed property, and what it means."""
    computed = next((one for one in definition.computed if one.name == name), None)
    if computed is not None:
        return computed.title or split_words(name).capitalize(), computed.description
    declared = definition.form.get("properties", {}).get(name)
    described = declared if isinstance(declared, Mapping) else {}
    return str(described.get("title") or split_words(name).capitalize()), str(described.get("description") or "")


def list_ends(entity: EntitySummary, definition: KindDefinition, names: Sequence[str]) -> list[EntityRef]:
    """Return what these fields of an entity refer to, to find the titles of."""
    return [ref for name in names for ref in _refs(entity, definition, name)]


def show_plain(label: str, value: Any, help_text: str = "") -> Shown:
    """Return a value that nothing more is known of."""
    if value is None or value in ("", [], {}):
        return Shown(label, "none", None, help_text)
    if isinstance(value, bool):
        return Shown(label, "text", "Yes" if value else "No", help_text)
    if isinstance(value, str):
        text = _cut(value)
        is_link = value.lower().startswith(_LINK_SCHEMES) and text == value
        return Shown(label, "link" if is_link else "code" if "\n" in value else "text", text, help_text)
    if isinstance(value, int | float):
        return Shown(label, "text", value, help_text)
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        more = [f"and {len(value) - _MOST_ITEMS:,} more"] if len(value) > _MOST_ITEMS else []
        return Shown(label, "text", ", ".join([*map(str, value[:_MOST_ITEMS]), *more]), help_text)
    return Shown(label, "code", _cut(write_yaml(value)), help_text)


def _ends(
    entity: EntitySummary, definition: KindDefinition, relation: Relation, titles: Titles
) -> list[tuple[str, str, bool]]:
    return [
        (titles.get(ref) or ref.shorten(default_kind=relation.default_kind), entity_href(ref), ref in titles)
        for ref in _refs(entity, definition, relation.field)[:_MOST_ITEMS]
    ]


def _refs(entity: EntitySummary, definition: KindDefinition, name: str) -> list[EntityRef]:
    """Return the refs of a field; none when it holds no sound ones, as may be after its kind has changed."""
    try:
        return [ref for _, relation, ref in list_targets(entity.ref, definition, entity.spec) if relation.field == name]
    except InvalidRef:
        return []


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def offer_refs(session: ReadSession, definition: KindDefinition) -> dict[str, forms.Choices]:
    """Return suggestions for the fields that refer to entities of one kind."""
    offered = {}
    for relation in definition.relations:
        if relation.default_kind is not None:
            names = listing.list_names(session, relation.default_kind)[:_OFFERED]
            offered[f"spec.{relation.field}"] = forms.Choices([(name, name) for name in names], is_closed=False)
    return offered
