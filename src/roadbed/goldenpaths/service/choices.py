"""What the pickers of a path's questions offer: entities of the catalog, and references to secrets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from roadbed.catalog.contract import ENTITY_READ, EntityFilter, EntitySummary, kind_word, list_entities
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.forms import Choices, Picker, find_pickers
from roadbed.goldenpaths.rules.parameters import SECRET_FIELD
from roadbed.goldenpaths.types import ParameterPage
from roadbed.secrets.contract import SECRET_READ, list_secrets

LIMIT = 200
"""More than these are searched as one types, instead of listed."""

_OWNERS = ("Group", "User")
_KINDS: dict[str, tuple[str, ...]] = {
    "OwnerPicker": _OWNERS,
    "MyGroupsPicker": ("Group",),
    "OwnedEntityPicker": (),
    "EntityPicker": (),
    "MultiEntityPicker": (),
}
_OF_MINE = ("MyGroupsPicker", "OwnedEntityPicker")
_FILTERS = {"kind": "kinds", "spec.type": "types", "metadata.namespace": "namespaces", "spec.lifecycle": "lifecycles"}


async def offer_choices(
    session: ReadSession, actor: Actor, page: ParameterPage, values: Mapping[str, Any]
) -> dict[str, Choices]:
    """Return what each picker of a page offers to `actor`; one that knows nothing to offer stays a text."""
    found = {}
    for name, picker in find_pickers(page.schema, values).items():
        choices = await _offer(session, actor, picker, chosen=values.get(name))
        if choices is not None:
            found[name] = choices
    return found


async def search_choices(
    session: ReadSession, actor: Actor, picker: Picker, text: str, *, limit: int
) -> list[tuple[str, str]]:
    """Return the options of one picker that hold `text`."""
    return _options(await _find(session, actor, picker, text=text, limit=limit), actor)


def suggest_owner(
    page: ParameterPage, values: Mapping[str, Any], choices: Mapping[str, Choices], actor: Actor
) -> dict[str, str]:
    """Return the reader's team as the answer to who owns it, where they have one team and have not answered yet."""
    found = {}
    for name, picker in find_pickers(page.schema, values).items():
        own = [value for value, _ in choices[name].options if value in actor.groups] if name in choices else []
        if picker.kind == "OwnerPicker" and name not in values and "." not in name and len(own) == 1:
            found[name] = own[0]
    return found


async def _offer(session: ReadSession, actor: Actor, picker: Picker, *, chosen: Any) -> Choices | None:
    if picker.kind == SECRET_FIELD:
        return await _offer_secrets(session, actor)
    if picker.kind not in _KINDS:
        return None
    entities = await _find(session, actor, picker, text="", limit=LIMIT + 1)
    options = _options(entities[:LIMIT], actor)
    if not options:
        return None
    options.sort(key=lambda option: option[0] not in actor.groups)
    is_closed = len(entities) <= LIMIT and picker.options.get("allowArbitraryValues") is not True
    if is_closed and isinstance(chosen, str) and chosen and chosen not in dict(options):
        options.append((chosen, f"{chosen} (not in the catalog)"))
    return Choices(options, is_closed=is_closed)


async def _offer_secrets(session: ReadSession, actor: Actor) -> Choices | None:
    if not session.services.get(DeciderService).has(actor, SECRET_READ):
        return None
    found = await list_secrets(session, limit=LIMIT)
    return Choices([(secret.reference, secret.path) for secret in found], is_closed=False) if found else None


async def _find(session: ReadSession, actor: Actor, picker: Picker, *, text: str, limit: int) -> list[EntitySummary]:
    """Return what fits any of the picker's filters, by title."""
    if not session.services.get(DeciderService).has(actor, ENTITY_READ):
        return []
    found: dict[str, EntitySummary] = {}
    for wanted in _filters(picker):
        known: dict[str, Any] = {field: _texts(wanted[key]) for key, field in _FILTERS.items() if key in wanted}
        known.setdefault("kinds", _KINDS[picker.kind])
        owners = tuple(sorted(actor.groups)) if picker.kind == "OwnedEntityPicker" else ()
        for entity in await list_entities(session, EntityFilter(**known, owners=owners, text=text), limit=limit):
            if _fits(entity, wanted) and _may_be_chosen(entity, picker, actor):
                found[str(entity.ref)] = entity
    return sorted(found.values(), key=lambda entity: entity.title.lower())[:limit]


def _filters(picker: Picker) -> list[Mapping[str, Any]]:
    given = picker.options.get("catalogFilter")
    if given is None and picker.options.get("allowedKinds"):
        given = {"kind": picker.options["allowedKinds"]}
    filters: Sequence[Any] = given if isinstance(given, list) else [given or {}]
    return [wanted for wanted in filters if isinstance(wanted, Mapping)]


def _fits(entity: EntitySummary, wanted: Mapping[str, Any]) -> bool:
    """Tell whether an entity has what a filter asks for beyond what the catalog was asked."""
    return all(_has(entity.document, key, value) for key, value in wanted.items() if key not in _FILTERS)


def _has(document: Mapping[str, Any], key: str, wanted: Any) -> bool:
    value: Any = document
    parts = key.split(".", 2) if key.startswith("metadata.") else key.split(".")
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(wanted, Mapping) and "exists" in wanted:
        return (value is not None) == bool(wanted["exists"])
    held = value if isinstance(value, list) else [value]
    return any(str(item).lower() in [text.lower() for text in _texts(wanted)] for item in held)


def _may_be_chosen(entity: EntitySummary, picker: Picker, actor: Actor) -> bool:
    """Tell whether a picker offers an entity: Roadbed's own group owns nothing but what came with Roadbed."""
    if picker.kind == "OwnerPicker":
        return not entity.is_built_in
    return picker.kind not in _OF_MINE or _is_mine(entity, actor)


def _is_mine(entity: EntitySummary, actor: Actor) -> bool:
    owner = str(entity.owner) if entity.owner else ""
    return str(entity.ref) in actor.groups or owner in actor.groups


def _options(entities: Sequence[EntitySummary], actor: Actor) -> list[tuple[str, str]]:
    """Return refs with labels; titles that several have are told apart by their refs."""
    titles = Counter(entity.title for entity in entities)
    options = []
    for entity in entities:
        ref = str(entity.ref)
        title = entity.title if titles[entity.title] == 1 else f"{entity.title} ({entity.ref.shorten()})"
        options.append((ref, f"{title} · {'yours' if ref in actor.groups else kind_word(entity).lower()}"))
    return options


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
