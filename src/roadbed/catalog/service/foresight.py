"""What declaring or changing a kind would do to the entities of it, before it is done."""

import asyncio
from dataclasses import replace

import orjson

from roadbed.catalog.rules.declarations import KindChange, with_declared
from roadbed.catalog.rules.documents import Reading
from roadbed.catalog.rules.index import filters
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.declared import is_declaration
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.validation import check_held
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.types import EntityFilter
from roadbed.core.db import ReadSession

SHOWN = 100
_PIECE = 200


async def foresee(session: ReadSession, reading: Reading, kinds: Kinds) -> list[KindChange]:
    """Return what the kinds that sound documents declare would do; nothing is changed."""
    after = with_declared(kinds, reading.documents)
    names = {str(document.data["metadata"]["name"]) for document in reading.documents if is_declaration(document.data)}
    index = session.services.get(CatalogIndex).index
    changes = []
    for name in sorted(names):
        definition, before = after.find(name), kinds.find(name)
        if definition is not None and definition.is_declared:
            changes.append(await _foresee(index, definition, before))
    return changes


async def _foresee(index: Index, definition: KindDefinition, before: KindDefinition | None) -> KindChange:
    numbers = list(filters.select(index, EntityFilter(kinds=(definition.name,))))
    change = KindChange(definition.name, is_new=before is None, entities=len(numbers))
    if before is None or before.digest == definition.digest:
        return change
    becoming, still = 0, 0
    found: list[Problem] = []
    for start in range(0, len(numbers), _PIECE):
        for number in numbers[start : start + _PIECE]:
            if not (document := index.document_of(number)):
                continue  # it has gone meanwhile
            data = orjson.loads(document)
            if not (problems := check_held(data, definition)):
                continue
            if check_held(data, before):
                still += 1
                continue
            becoming += 1
            if becoming <= SHOWN:
                found += [replace(problem, ref=index.ref_of(number)) for problem in problems]
        await asyncio.sleep(0)  # others wait for this thread
    return replace(change, becoming_invalid=becoming, still_invalid=still, problems=found)
