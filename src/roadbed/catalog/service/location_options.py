"""What may be set for a location: whether it is sound, who may set it, and what then holds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs

from roadbed.catalog.access import KIND_WRITE, LOCATION_GOVERN
from roadbed.catalog.errors import LocationForbidden, LocationInvalid
from roadbed.catalog.rules.git_options import SCHEMA as GIT_SCHEMA
from roadbed.catalog.rules.git_options import find_fault
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.sources import OWN_REPOSITORIES
from roadbed.catalog.rules.suggestions import find_closest
from roadbed.catalog.types import LOCATION_SOURCES, LocationOptions, LocationSource, LocationSummary, LocationType
from roadbed.core.access import DeciderService, Permission
from roadbed.core.actor import Actor, ActorKind
from roadbed.core.extension import Registry
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.secrets.contract import find_paths


@dataclass(frozen=True)
class Questions:
    """What locations of a type ask for.

    Args:
        label: what they are called.
        description: what to give as target.
        schema: JSON Schema of what is asked beside it.
    """

    label: str
    description: str
    schema: Mapping[str, Any]


_GIT = Questions("Git repository", "Such as https://git.example.com/shop/orders.git#main:catalog-info.yaml", GIT_SCHEMA)


def list_location_sources(services: Services) -> tuple[LocationSource, ...]:
    """Return the types of locations that integrations add."""
    return services.get(Registry).get(LOCATION_SOURCES)


def find_location_source(services: Services, type_: str) -> LocationSource | None:
    return next((source for source in list_location_sources(services) if source.type == type_), None)


def link_to(services: Services, location: LocationSummary, file: str, line: int) -> str | None:
    """Return the address at which people see a line of a file that was read; None when it is not known."""
    contributed = find_location_source(services, location.type)
    return contributed.link(location, file, line) if contributed is not None and file else None


def check_type(services: Services, type_: str) -> LocationSource | None:
    """Return the integration that reads a type of locations; None for those that the catalog reads itself.

    Raises:
        LocationInvalid: nobody reads it.
    """
    contributed = find_location_source(services, type_)
    if contributed is None and type_ not in list(LocationType):
        known = [*LocationType, *(source.type for source in list_location_sources(services))]
        raise LocationInvalid(f"There is no type of location {type_!r}.", hint=f"Give one of {', '.join(known)}.")
    return contributed


def check_options(
    services: Services, actor: Actor, type_: str, options: LocationOptions, *, before: LocationOptions | None = None
) -> LocationOptions:
    """Return the options as they are kept.

    Args:
        services: of this process.
        actor: who sets them; not everybody may have secrets used, more kinds brought than before, or kinds defined.
        type_: of the location.
        options: what is wanted.
        before: the checked options that hold now, of a location that exists.

    Raises:
        LocationInvalid: they name a kind that there is not, or do not fit the type.
        LocationForbidden: `actor` may not have this.
    """
    check_type(services, type_)
    asked = find_questions(services, type_)
    if asked is None and options.source:
        raise LocationInvalid(f"Locations of type {type_} have no options of their own.", hint="Leave `source` out.")
    if asked is not None:
        _check_source(asked, options)
    if options.allowed_kinds is not None:
        options = replace(options, allowed_kinds=check_kinds(services.get(Kinds), options.allowed_kinds))
    is_new_source = before is None or before.source != options.source
    if is_new_source and any(find_paths(options.source)):
        _require_govern(services, actor, "have a location read with stored secrets")
    if _is_wider(_effective(services, options), _effective(services, before or LocationOptions())):
        _require_govern(services, actor, "let a location bring more kinds of entities")
    if before is not None and before.may_define_kinds != options.may_define_kinds:
        _require(services, actor, KIND_WRITE, "say whether a location defines kinds")
    return options


def require_move(services: Services, actor: Actor, options: LocationOptions) -> None:
    """Raise LocationForbidden when `actor` may not have a location with these options read from elsewhere."""
    if any(find_paths(options.source)):
        _require_govern(services, actor, "have stored secrets sent elsewhere")


def check_kinds(kinds: Kinds, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of kinds as they are written.

    Raises:
        LocationInvalid: there is no such kind.
    """
    found = set()
    for name in names:
        definition = kinds.find(name)
        if definition is None:
            closest = find_closest(name, [known.name for known in kinds])
            raise LocationInvalid(
                f"There is no kind {name}.", hint=f"Did you mean {closest[0]}?" if closest else "See /api/v1/kinds."
            )
        found.add(definition.name)
    return tuple(sorted(found))


def allowed_kinds_of(services: Services, location: LocationSummary) -> frozenset[str] | None:
    """Return the kinds that entities of a location may have, by its own settings or those for all; None: every kind."""
    if location.options.allowed_kinds is None and location.target.startswith(OWN_REPOSITORIES):
        return None  # what Roadbed ships is not limited by what others may bring
    return _effective(services, location.options)


def _effective(services: Services, options: LocationOptions) -> frozenset[str] | None:
    if options.allowed_kinds is not None:
        return frozenset(options.allowed_kinds)
    return frozenset(check_kinds(services.get(Kinds), tuple(services.get(Settings).catalog.allowed_kinds))) or None


def _is_wider(kinds: frozenset[str] | None, than: frozenset[str] | None) -> bool:
    return than is not None and (kinds is None or not kinds <= than)


def find_questions(services: Services, type_: str) -> Questions | None:
    """Return what locations of a type ask for; None when that is a target only."""
    if type_ == LocationType.GIT:
        return _GIT
    contributed = find_location_source(services, type_)
    if contributed is None:
        return None
    return Questions(contributed.label, contributed.description, contributed.schema)


def check_credential(type_: str, target: str, options: LocationOptions) -> None:
    """Refuse a credential that would be sent in clear, or to nobody.

    Raises:
        LocationInvalid
    """
    if type_ != LocationType.GIT:
        return
    fault = find_fault(target.partition("#")[0], options.source)
    if fault is not None:
        raise LocationInvalid(fault, hint="Give the https:// address of the repository, or leave `source` out.")


def _check_source(asked: Questions, options: LocationOptions) -> None:
    validator = jsonschema_rs.Draft7Validator(dict(asked.schema))
    for error in validator.iter_errors(dict(options.source)):
        place = ".".join(["source", *map(str, error.instance_path)])
        raise LocationInvalid(f"{place}: {error.message}.", hint=f"See how to register a {asked.label}.")


def _require_govern(services: Services, actor: Actor, what: str) -> None:
    _require(services, actor, LOCATION_GOVERN, what)


def _require(services: Services, actor: Actor, permission: Permission, what: str) -> None:
    if actor.kind is not ActorKind.SYSTEM and not services.get(DeciderService).has(actor, permission):
        raise LocationForbidden(
            f"You may not {what}.",
            hint=f"It needs {permission.name}. Ask a platform engineer.",
            permission=permission.name,
        )
