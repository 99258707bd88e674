"""Lists by when entities changed and by how they are: orders that are no values, and follow what happens."""

import secrets
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from roadbed.catalog.contract import StatusReport, report_status
from roadbed.catalog.rules.index.entries import TITLE, Kept, make_entry, make_piece, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.narrowed import NarrowedIndex
from roadbed.catalog.rules.index.pages import Listing, Sorting
from roadbed.catalog.rules.index.ranks import CHANGED, SEVERITY, rank_health
from roadbed.catalog.rules.index.sorts import read_sorting
from roadbed.catalog.service.index import CatalogIndex
from roadbed.kit.jsons import write_json
from roadbed.kit.paging import encode_cursor
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import component, group
from tests.catalog.test_pages import page
from tests.support import RunningServer

YAML = {"content-type": "application/yaml"}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = (TITLE, CHANGED, SEVERITY, "spec.type")
STEPS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 3)), max_size=25)


def entity(name: str, *, seconds: int) -> Kept:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {"type": "service"},
    }
    record = {"sort_key": name, "title": name, "updated_at": BEGIN + timedelta(seconds=seconds)}
    return Kept(f"uid-{name}", f"component:default/{name}", write_json(document), "digest", record)


def turn(listing: Listing, index: Index, *, limit: int) -> list[str]:
    """Return the names of a listing, read page by page to its end, after the last page was read backwards, too."""
    names, after = [], None
    while True:
        stretch = listing.take(limit, after=after)
        names += [index.ref_of(number)[-1] for number in stretch.numbers]
        if stretch.last is not None:
            before = listing.take_before(limit, stretch.last)
            assert [index.ref_of(number)[-1] for number in before.numbers] == names[:-1][-limit:]
        if not stretch.has_more:
            return names
        after = stretch.last


@given(STEPS, STEPS, st.booleans(), st.integers(1, 4), st.sets(st.sampled_from("abcdefgh")))
def test_order_by_change_is_that_of_all_times_sorted(
    loaded: list[tuple[str, int | None]],
    steps: list[tuple[str, int | None]],
    is_descending: bool,
    limit: int,
    chosen: set[str],
) -> None:
    index, held = Index(read_rows), {name: seconds for name, seconds in loaded if seconds is not None}
    index.load(make_piece([entity(name, seconds=seconds) for name, seconds in held.items()], start=0))
    index.finish_loading()
    sorting = Sorting(CHANGED, is_descending=is_descending)
    NarrowedIndex(index, BitMap()).list_order(CHANGED)  # who sees nothing asks first
    for name, seconds in steps:
        if seconds is None:
            index.remove(f"component:default/{name}")
            held.pop(name, None)
        else:
            index.put(make_entry(entity(name, seconds=seconds)))
            held[name] = seconds
    for names in (held.keys(), held.keys() & chosen):
        selection = BitMap(
            number for name in names if (number := index.number_of(f"component:default/{name}")) is not None
        )
        wanted = sorted(names, key=lambda name: (held[name], name), reverse=is_descending)
        assert turn(Listing(index, selection, sorting), index, limit=limit) == wanted
        assert Listing(index, selection, sorting).count() == len(wanted)


def test_few_of_many_are_sorted_without_walking_through_the_others() -> None:
    index = Index(read_rows)
    names = [f"n{number:03}" for number in range(300)]
    kept = [entity(name, seconds=(number * 7919) % 300) for number, name in enumerate(names)]
    index.load(make_piece(kept, start=0))
    index.finish_loading()
    chosen = BitMap(range(0, 300, 50))
    found = Listing(index, chosen, Sorting(CHANGED)).take(10).numbers
    assert list(found) == sorted(chosen, key=lambda number: (number * 7919) % 300)


def test_order_that_is_built_aside_is_the_one_that_is_built_when_asked_for_and_follows() -> None:
    aside, asked = Index(read_rows), Index(read_rows)
    kept = [entity(name, seconds=(number * 7919) % 300) for number, name in enumerate("gebdfca")]
    for index in (aside, asked):
        index.load(make_piece(kept, start=0))
        index.finish_loading()
    for key in KEYS:
        order = aside.build_order(key)
        assert order is not None
        aside.keep_order(key, order)
    for index in (aside, asked):
        index.put(make_entry(entity("h", seconds=4)))
        index.remove("component:default/d")
    for key in KEYS:
        assert list(aside.list_order(key).numbers) == list(asked.list_order(key).numbers), key
    assert aside.build_order("spec.nothing") is None


def test_nothing_breaks_while_an_order_is_built_aside_of_what_changes() -> None:
    index = Index(read_rows)
    kept = [entity(f"n{number:04}", seconds=number % 7) for number in range(1000)]
    index.load(make_piece(kept, start=0))
    index.finish_loading()
    is_over = threading.Event()

    def build() -> int:
        builds = 0
        while not is_over.is_set():
            assert index.build_order(KEYS[builds % len(KEYS)]) is not None
            builds += 1
        return builds

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(build)
            for number in range(500):
                index.remove(f"component:default/n{number:04}")
                index.put(make_entry(entity(f"m{number % 50}", seconds=number)))
            is_over.set()
            assert building.result() > len(KEYS)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize(
    ("ref", "state", "rank"),
    [
        ("component:default/a", "failing", 0),
        ("component:default/a", "degraded", 1),
        ("component:default/a", "unknown", 2),
        ("component:default/a", "out-of-its-mind", 2),
        ("component:default/a", None, 2),
        ("resource:default/a", None, 2),
        ("component:default/a", "deploying", 3),
        ("group:default/a", "healthy", 4),
        ("group:default/a", None, None),
    ],
)
def test_health_is_ranked_by_how_bad_it_is(ref: str, state: str | None, rank: int | None) -> None:
    assert rank_health(ref, {"health": state}) == rank


def test_health_is_of_now_only() -> None:
    assert read_sorting("-health") == Sorting(SEVERITY, is_descending=True)
    assert read_sorting("-health", is_past=True) == read_sorting("")
    assert read_sorting("-updated_at", is_past=True) == Sorting(CHANGED, is_descending=True)


def put(api: httpx.Client, text: str) -> None:
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text


def listed(api: httpx.Client, word: str, **params: str) -> Iterable[str]:
    """Yield the last letters of the names, two a page."""
    cursor: str | None = None
    while True:
        asked = {"q": word, "limit": "2", **params, **({"cursor": cursor} if cursor else {})}
        answer = api.get("/api/v1/entities", params=asked).json()
        yield from (item["metadata"]["name"][-1] for item in answer["items"])
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def test_list_follows_what_changes_and_knows_the_order_of_then(api: httpx.Client) -> None:
    word = f"change{secrets.token_hex(3)}"
    for name in "abcde":
        put(api, component(f"{word}-{name}"))
    assert "".join(listed(api, word, sort="updated_at")) == "abcde"
    then = max(item["updated_at"] for item in api.get("/api/v1/entities", params={"q": word}).json()["items"])
    put(api, component(f"{word}-b", lifecycle="deprecated"))
    api.delete(f"/api/v1/entities/component/default/{word}-d")
    assert "".join(listed(api, word, sort="-updated_at")) == "beca"
    assert "".join(listed(api, word, sort="updated_at", as_of=then)) == "abcde"
    assert "".join(listed(api, word, sort="-updated_at", as_of=then)) == "edcba"
    assert "".join(listed(api, word, sort="-health", as_of=then)) == "abcde", "by title: health is not kept"
    pages = listed(api, word, sort="updated_at")
    first = [next(iter(pages)) for _ in range(2)]
    put(api, component(f"{word}-a", lifecycle="deprecated"))  # seen already, and now at the end as well
    assert "".join([*first, *pages]) == "aceba"
    strange = {"q": word, "sort": "updated_at", "cursor": encode_cursor("no number", "x")}
    assert api.get("/api/v1/entities", params=strange).json()["items"] == []


def test_health_has_the_worst_first_and_what_has_none_last(api: httpx.Client, server: RunningServer) -> None:
    word = f"well{secrets.token_hex(3)}"
    states = {"a": "healthy", "b": "failing", "c": "degraded", "e": "deploying"}
    put(api, "".join(component(f"{word}-{name}") for name in "abcde") + group(f"{word}-f"))
    index = server.services.get(CatalogIndex)

    async def report(name: str, state: str) -> None:
        ref = parse_ref(f"component:default/{word}-{name}")
        async with server.database.write() as session:
            await report_status(session, ref, StatusReport(key="health", state=state, summary="-", source="tests"))
        await index.catch_up()

    assert "".join(listed(api, word, sort="health")) == "abcdef"
    for name, state in states.items():
        server.run(report(name, state))
    assert "".join(listed(api, word, sort="health")) == "bcdeaf"
    assert "".join(listed(api, word, sort="-health")) == "aedcbf"
    server.run(report("a", "failing"))
    assert "".join(listed(api, word, sort="health")) == "abcdef"


def test_headings_begin_with_what_one_looks_for(api: httpx.Client) -> None:
    word = f"heads{secrets.token_hex(3)}"
    put(api, component(word))
    (item,) = api.get("/api/v1/entities", params={"q": word}).json()["items"]
    text = page(api, f"/catalog?q={word}&sort=health")
    assert f'aria-sort="ascending"><a href="?q={word}&amp;sort=-health">Health</a>' in text
    assert f'><a href="?q={word}&amp;sort=-updated_at">Changed</a>' in text
    assert '<option value="health" selected>Health, worst first</option>' in text
    assert '<option value="-updated_at">Changed, newest first</option>' in text
    text = page(api, f"/catalog?q={word}&sort=-updated_at&as_of={item['updated_at']}")
    assert 'aria-sort="descending"><a' in text
    assert "sort=updated_at" in text
    assert "sort=health" not in text
    assert "worst first" not in text


@pytest.mark.parametrize("sort", ["computed:overdue", "--health", "health,updated_at", "\0health"])
def test_what_is_no_order_is_refused(api: httpx.Client, sort: str) -> None:
    answer = api.get("/api/v1/entities", params={"sort": sort})
    assert answer.status_code == 422, answer.text
