"""Lists of entities: the index says which, in what order and how many; their rows are then read by ref."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import entities as rows
from roadbed.catalog.rules.index import filters
from roadbed.catalog.rules.index.conditions import AnyOf, HasPrefix, HasValue
from roadbed.catalog.rules.index.entries import TITLE
from roadbed.catalog.rules.index.index import Index, Place
from roadbed.catalog.rules.index.layers import BY_TITLE
from roadbed.catalog.rules.index.pages import Listing
from roadbed.catalog.rules.index.sorts import read_sorting
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.suggestions import find_closest
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.past import Moment, layers_of
from roadbed.catalog.service.views import summarise, summarise_change
from roadbed.catalog.types import ChangeKind, EntityFilter, EntitySummary
from roadbed.core.db import ReadSession
from roadbed.core.paging import InvalidCursor
from roadbed.core.search import BEGINS_WORD, rank
from roadbed.kit.paging import Page, decode_cursor, encode_cursor
from roadbed.kit.refs import EntityRef


@dataclass(frozen=True)
class FoundEntities:
    """What a search found. `are_alike`: nothing holds the words themselves, these hold words spelt almost so."""

    entities: list[EntitySummary]
    are_alike: bool = False


_RANKED = 5000


async def list_entities(session: ReadSession, wanted: EntityFilter, *, limit: int = 1000) -> list[EntitySummary]:
    """Return entities by title, at most `limit`."""
    index = _index(session)
    found = Listing(index, filters.select(index, wanted), BY_TITLE).take(limit)
    return await read_entities(session, map(index.ref_of, found.numbers))


async def list_page(
    session: ReadSession,
    wanted: EntityFilter,
    *,
    cursor: str | None,
    limit: int,
    moment: Moment | None = None,
    sort: str = "",
) -> Page[EntitySummary]:
    """Return one page of entities in order, with the total; as they were at a moment, or as they are.

    Raises:
        InvalidCursor: the cursor is not one of this list.
    """
    sorting = read_sorting(sort, is_past=moment is not None)
    found = layers_of(session, moment).take(wanted, limit, after=_place(cursor), sorting=sorting)
    return Page(
        items=tuple(await read_entities(session, found.refs, moment=moment)),
        next_cursor=encode_cursor(found.next.value, found.next.ref) if found.next else None,
        total=found.total,
    )


def count_entities(session: ReadSession, wanted: EntityFilter, *, moment: Moment | None = None) -> int:
    return layers_of(session, moment).count(wanted)


def count_by(
    session: ReadSession, wanted: EntityFilter, field: str, *, limit: int, moment: Moment | None = None
) -> list[tuple[str, int]]:
    """Return the values of a field of the filter with their counts, most frequent first; its own filter is left out."""
    return layers_of(session, moment).count_by(wanted, field, limit=limit)


async def read_entities(
    session: ReadSession, refs: Iterable[str], *, moment: Moment | None = None
) -> list[EntitySummary]:
    """Return those of these entities that there are, or were at a moment, in the order of `refs`."""
    wanted: Sequence[str] = list(refs)
    changed = [ref for ref in wanted if moment is not None and ref in moment.catalog.changed]
    found = {row.ref: summarise(row) for row in await rows.list_by_refs(session, set(wanted) - set(changed))}
    if moment is not None and changed:
        kinds = session.services.get(Kinds)
        past = await change_rows.list_as_of(session, changed, moment.position)
        found |= {row.ref: summarise_change(row, kinds) for row in past if row.change != ChangeKind.DELETED}
    return [found[ref] for ref in wanted if ref in found]


async def search_entities(session: ReadSession, text: str, *, limit: int) -> FoundEntities:
    """Return entities that hold all words of `text`, the best names first; where there are none, those spelt alike."""
    index = _index(session)
    matching = filters.select(index, EntityFilter(text=text))
    wanted = text.strip().lower()
    same = matching & index.select(HasValue("metadata.name", (wanted,)))
    beginning = matching & index.select(AnyOf((HasPrefix("metadata.name", wanted), HasPrefix(TITLE, wanted))))
    first = Listing(index, beginning, BY_TITLE).take(limit).numbers  # of those that fit as well, by title
    rest = Listing(index, matching, BY_TITLE).take(_RANKED).numbers
    fits: dict[int, tuple[int, str]] = {}
    begun = 0
    for number in dict.fromkeys((*same, *first, *rest)):
        fits[number] = _fit(index.text_of(number), wanted)
        begun += fits[number][0] == BEGINS_WORD
        if begun == limit:
            break  # what fits better came before, and of what fits as well the first by title
    ranked = sorted(fits, key=lambda number: (fits[number], index.ref_of(number)))
    if ranked:
        return FoundEntities(await read_entities(session, map(index.ref_of, ranked[:limit])))
    return FoundEntities(await read_entities(session, _find_alike(index, wanted, limit=limit)), are_alike=True)


def _find_alike(index: Index, wanted: str, *, limit: int) -> list[str]:
    """Return refs whose words are spelt almost like the wanted ones, the nearest first."""
    held = filters.select(index, EntityFilter())
    refs: dict[str, None] = {}
    for numbers in index.find_alike(wanted):
        alike = Listing(index, numbers & held, BY_TITLE).take(limit).numbers
        refs |= dict.fromkeys(map(index.ref_of, alike))
    return list(refs)[:limit]


def list_names(session: ReadSession, kind: str) -> list[str]:
    """Return the names of all entities of a kind, in lower case."""
    index = _index(session)
    found = filters.select(index, EntityFilter(kinds=(kind,)))
    return [index.ref_of(number).partition("/")[2] for number in found]


def list_titles(session: ReadSession, refs: Iterable[str]) -> dict[str, str]:
    """Return the titles of those of these entities that exist, by ref, without asking the database."""
    index = _index(session)
    numbers = {ref: number for ref in refs if (number := index.number_of(ref)) is not None}
    return {ref: orjson.loads(index.record_of(number))["title"] for ref, number in numbers.items()}


def list_near(session: ReadSession, ref: EntityRef, *, limit: int) -> list[str]:
    """Return the refs of entities of the same kind whose names are most like that of one that is not there."""
    index = _index(session)
    refs: dict[str, str] = {}
    for number in filters.select(index, EntityFilter(kinds=(ref.kind,))):
        found = index.ref_of(number)
        namespace, _, name = found.partition(":")[2].partition("/")
        if namespace == ref.namespace.lower() or name not in refs:
            refs[name] = found
    return [refs[name] for name in find_closest(ref.name, refs, limit=limit)]


def _fit(text: str, wanted: str) -> tuple[int, str]:
    """Return how well name or title fit, and the title."""
    name, _, rest = text.partition("\n")
    title = rest.partition("\n")[0]
    fits = [fit for fit in (rank(wanted, name), rank(wanted, title)) if fit is not None]
    return min(fits, default=4), title


def _index(session: ReadSession) -> Index:
    return session.services.get(CatalogIndex).index


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        value, ref = decode_cursor(cursor, size=2)
    except ValueError as error:
        raise InvalidCursor(str(error) + ".", hint="Take next_cursor of the page before, unchanged.") from error
    return Place(str(value), str(ref))
