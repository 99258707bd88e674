"""The action `catalog:register`: the repository becomes a location, and its entities are read."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from roadbed.catalog.contract import (
    LOCATION_WRITE,
    EntityFilter,
    EntitySummary,
    LocationExists,
    LocationType,
    get_location,
    list_entities,
    refresh_location,
    register_location,
    remove_location,
)
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.errors import NotFound
from roadbed.goldenpaths.errors import InputInvalid, NothingRegistered
from roadbed.goldenpaths.service.paths import list_products_of_run
from roadbed.goldenpaths.service.products import find_work, note_entity
from roadbed.goldenpaths.types import Action, ActionCall, ActionScope, Foresight
from roadbed.kit.text import plural
from roadbed.runs.contract import (
    Done,
    Outcome,
    RunSummary,
    StepFailed,
    Undone,
    Wait,
    find_run,
    list_children,
    needing,
)
from roadbed.scm.contract import RepositoryChange, change_repository, find_repository

_INPUT = {
    "type": "object",
    "anyOf": [{"required": ["repoContentsUrl"]}, {"required": ["catalogInfoUrl"]}],
    "properties": {
        "repoContentsUrl": {"type": "string", "minLength": 1},
        "catalogInfoUrl": {"type": "string", "minLength": 1},
        "catalogInfoPath": {"type": "string", "minLength": 1},
        "optional": {"type": "boolean"},
    },
}
_SUBJECT = "location:"


async def _register(call: ActionCall, given: dict[str, Any]) -> Outcome:
    if call.step.resumed is None:
        return _wait_for(await _begin(call, name_published(target_of(given), call.step.outputs.values())))
    async with call.services.get(Database).write() as session:
        run = await find_run(session, UUID(call.step.resumed["run_id"]))
        if run is None or run.state != "succeeded":
            reason = run.error["message"] if run is not None and run.error else "Reading it was stopped."
            raise StepFailed(
                f"The catalog could not read it. {reason}", hint="Mend that in the repository, then retry the run."
            )
        location_id = UUID((run.subject or "").removeprefix(_SUBJECT))
        entities = await list_entities(session, EntityFilter(location_id=location_id))
        if not entities:
            raise NothingRegistered(
                f"{target_of(given)} holds no entity that the catalog takes.",
                hint=f"/catalog/locations/{location_id} lists what is wrong with the file.",
            )
        main = _choose_main(entities)
        await _connect(session, call, location_id, main)
    for entity in entities:
        call.step.log(f"Registered {entity.ref}", stream="info")
    await call.step.link("entity", title=main.title, href=main.href, meta=str(main.ref))
    output = {"entityRef": str(main.ref), "catalogInfoUrl": target_of(given), "locationId": str(location_id)}
    others = f" and {plural(len(entities) - 1, 'other')}" if len(entities) > 1 else ""
    return Done(output, note=f"{main.ref}{others}")


async def _begin(call: ActionCall, target: str) -> RunSummary:
    """Start the run that reads the location: as a part of this run where it registered it, else on its own."""
    async with call.services.get(Database).write() as session:
        try:
            _, run = await register_location(
                session, call.actor, type_=LocationType.GIT, target=target, parent_run_id=call.step.run_id
            )
        except LocationExists as error:
            run = await refresh_location(session, call.actor, UUID(error.context["location_id"]))
    return run


def _wait_for(child: RunSummary) -> Wait:
    async def find(session: ReadSession) -> dict[str, Any] | None:
        found = await find_run(session, child.id)
        is_over = found is not None and found.state.is_finished
        return {"state": found.state.value, "run_id": str(found.id)} if found is not None and is_over else None

    return Wait("run", str(child.id), "Waits for the catalog to read it", find=find)


def _choose_main(entities: list[EntitySummary]) -> EntitySummary:
    """Return the entity that a file is about: its first component, else its first one."""
    ordered = sorted(entities, key=lambda entity: (entity.ref.kind.lower() != "component", entity.file, entity.line))
    return ordered[0]


async def _connect(session: WriteSession, call: ActionCall, location_id: UUID, main: EntitySummary) -> None:
    """Tell the repository and the product which entity they are."""
    location = await get_location(session, location_id)
    name = location.target.partition("#")[0].removeprefix("roadbed:")
    owner, _, short = name.partition("/")
    repository = await find_repository(session, owner, short) if location.target.startswith("roadbed:") else None
    if repository is not None:
        await change_repository(session, call.actor, repository, RepositoryChange(entity_ref=str(main.ref)))
        await note_entity(session, repository.id, str(main.ref))


async def _undo(call: ActionCall) -> Undone:
    """Remove the locations that this run registered with the entities read from them, unless their repository stays."""
    taken = []
    async with call.services.get(Database).write() as session:
        for product in await list_products_of_run(session, call.step.run_id):
            repository = await find_repository(session, *product.repository.split("/", 1))
            if repository is not None and await find_work(session.services, repository) is not None:
                return Undone(kept=(f"the entry in the catalog, because {product.repository} stays",))
        for child in await list_children(session, call.step.run_id):
            if not (child.subject or "").startswith(_SUBJECT):
                continue
            location_id = UUID((child.subject or "").removeprefix(_SUBJECT))
            names = [str(entity.ref) for entity in await list_entities(session, EntityFilter(location_id=location_id))]
            try:
                await remove_location(session, call.actor, location_id)
            except NotFound:
                continue  # somebody else removed it
            call.step.log(f"Removed {plural(len(names), 'entity', 'entities')} from the catalog", stream="info")
            taken += [f"{name} from the catalog" for name in names]
    return Undone(tuple(taken))


async def _foresee(scope: ActionScope, given: dict[str, Any]) -> Foresight:  # noqa: ARG001 - the signature is the slot's
    path = str(given.get("catalogInfoPath", "/catalog-info.yaml")).lstrip("/")
    return Foresight(title="Entry in the catalog", detail=f"from {path}")


def target_of(given: dict[str, Any]) -> str:
    """Return the location's target, `url#branch:path`, for a step's input.

    Raises:
        InputInvalid: the step that should have given the address was skipped.
    """
    whole = given.get("catalogInfoUrl")
    if whole:
        return str(whole)
    url, _, branch = str(given.get("repoContentsUrl") or "").partition("#")
    if not url:
        raise InputInvalid("repoContentsUrl is empty.", hint="It is an output of the step that publishes.")
    path = str(given.get("catalogInfoPath", "catalog-info.yaml")).lstrip("/")
    return f"{url}#{branch}:{path}"


def name_published(target: str, outputs: Iterable[Mapping[str, Any]]) -> str:
    """Name a repository that this run published by its lasting name: a server that is started anew may have moved."""
    for output in outputs:
        address = output.get("remoteUrl")
        if address and target.startswith((f"{address}#", f"{address}/")):
            return f"roadbed:{output['repository']}{target.removeprefix(address)}"
    return target


CATALOG_REGISTER = Action(
    "catalog:register",
    "Register in the catalog",
    _INPUT,
    _register,
    undo=_undo,
    guard_undo=needing(LOCATION_WRITE),
    foresee=_foresee,
)
