"""The index against a list that is searched from end to end: whatever was put and removed, both say the same."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.index.conditions import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Condition,
    HasKey,
    HasPrefix,
    HasText,
    HasValue,
    Not,
)
from roadbed.catalog.rules.index.entries import Kept, make_entry, make_piece, pack_cut, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.orders import scatter
from roadbed.catalog.rules.index.pages import Listing, Sorting
from roadbed.catalog.rules.index.pieces import unpack
from roadbed.catalog.rules.index.rows import rows_of, write_float
from roadbed.kit.jsons import parse_json, write_json

NAMES = ("a", "b", "c", "ab", "abc")
VALUES = ("one", "One", "two", "a_b", "100%", "", None)


def entity(name: str, title: str | None, tags: list[str]) -> Kept:
    document: dict[str, Any] = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "title": title, "tags": tags},
        "spec": {"type": "service"},
    }
    record = {"sort_key": title or name, "title": title}
    return Kept(f"uid-{name}", f"component:default/{name}", write_json(document), "digest", record)


Step = tuple[str, str | None, list[str], str]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(VALUES),
        st.lists(st.sampled_from(("x", "X", "yy", "zzz")), max_size=3),
        st.sampled_from(("put", "put", "remove", "keep")),
    ),
    max_size=12,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(HasValue, st.just("metadata.title"), st.just(("one", "two"))),
        st.builds(HasValue, st.just("metadata.tags"), st.sampled_from((("x",), ("yy", "zzz")))),
        st.builds(HasKey, st.sampled_from(("metadata.title", "metadata.tags", "metadata.tags.x", "nothing"))),
        st.builds(HasPrefix, st.just("metadata.name"), st.sampled_from(("a", "ab", "z"))),
        st.builds(
            HasText, st.just(("metadata.title", "metadata.name")), st.sampled_from(("o", "one", "_b", "0%", "abc"))
        ),
        st.sampled_from((EVERYTHING, NOTHING)),
    ),
    lambda parts: st.one_of(
        st.builds(AllOf, st.tuples(parts, parts)), st.builds(AnyOf, st.tuples(parts, parts)), st.builds(Not, parts)
    ),
    max_leaves=4,
)


def holds(value: str, term: str) -> bool:
    """Tell whether a text holds a term of LIKE, for the terms above."""
    if term == "_b":
        return value.find("b", 1) > 0
    return term.rstrip("%") in value


def fulfils(kept: Kept, condition: Condition) -> bool:
    rows = rows_of(parse_json(kept.written), uid=kept.uid, relations=())
    match condition:
        case HasValue(key, values):
            return any((key, value) in rows for value in values)
        case HasKey(key):
            return any(held == key for held, _ in rows)
        case HasPrefix(key, prefix):
            return any(held == key and value is not None and value.startswith(prefix) for held, value in rows)
        case HasText(keys, term):
            return any(held in keys and value is not None and holds(value, term) for held, value in rows)
        case AllOf(parts):
            return all(fulfils(kept, part) for part in parts)
        case AnyOf(parts):
            return any(fulfils(kept, part) for part in parts)
        case Not(part):
            return not fulfils(kept, part)


def play(steps: list[Step], *, loaded: int, has_words: bool = False) -> tuple[Index, dict[str, Kept]]:
    """Put, remove, and take back what was kept; what is in the index afterwards, and what should be.

    The first ones are loaded at once; with words there are those of all texts from then on.
    """
    index = Index(read_rows)
    held: dict[str, Kept] = {}
    for name, title, tags, _ in steps[:loaded]:
        held[f"component:default/{name}"] = entity(name, title, tags)
    index.load(make_piece(list(held.values()), start=0))
    index.finish_loading()
    if has_words:
        index.keep_words(index.build_words())
    warm = AllOf((HasText(("metadata.title",), "one"), HasPrefix("metadata.tags", "x")))
    for name, title, tags, action in steps[loaded:]:
        index.select(warm)  # so that orders, texts and words are there, and have to be kept current
        index.find_alike("one")
        ref = f"component:default/{name}"
        if action == "remove":
            index.remove(ref)
            held.pop(ref, None)
        elif action == "put":
            held[ref] = entity(name, title, tags)
            index.put(make_entry(held[ref]))
        else:
            index = keep(index)
    return index, held


def keep(index: Index) -> Index:
    """Return what comes back of an index that was kept."""
    kept = Index(read_rows)
    for place in range(index.cut_count):
        kept.load(unpack(pack_cut(index.cut(place))))
    kept.finish_loading()
    return kept


@given(STEPS, st.integers(0, 4), st.booleans(), st.sampled_from(("on", "one", "a_b", "x", "zz", "0", "uid", "é", "")))
def test_search_finds_what_holds_the_word(steps: list[Step], loaded: int, has_words: bool, word: str) -> None:
    index, held = play(steps, loaded=loaded, has_words=has_words)
    found = {index.ref_of(number) for number in index.search([word], index.all)}
    assert found == {ref for ref, kept in held.items() if word in make_entry(kept).text}


def alike(index: Index, text: str) -> list[set[str]]:
    return [{index.ref_of(number) for number in numbers} for numbers in index.find_alike(text)]


@given(STEPS, st.integers(0, 4))
def test_words_that_were_kept_current_are_those_of_an_index_filled_anew(steps: list[Step], loaded: int) -> None:
    index, held = play(steps, loaded=loaded)
    fresh = Index(read_rows)
    fresh.load(make_piece(list(held.values()), start=0))
    fresh.finish_loading()
    for text in ("one", "twoo", "abcd", "x"):
        assert alike(index, text) == alike(fresh, text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("paymnets", "payments-api"),
        ("pyments", "payments-api"),
        ("payemnts api", "payments-api"),
        ("notifcation", "notifications"),
        ("Notifikations", "notifications"),
        ("chekout", "checkout"),
        ("ordre", "orders"),
        ("gateawy", "edge"),
        ("ordx", "orders"),
        ("orxx", ""),
        ("xyz", ""),
        ("123", ""),
        ("", ""),
        ("payments refunds", ""),
    ],
)
def test_names_are_found_that_are_spelt_almost_so(text: str, found: str) -> None:
    index = Index(read_rows)
    titles = {"payments-api": None, "notifications": None, "checkout": None, "orders": None, "edge": "API Gateway"}
    index.load(make_piece([entity(name, title, []) for name, title in titles.items()], start=0))
    index.finish_loading()
    nearest = next((refs for refs in alike(index, text) if refs), set())
    assert nearest == ({f"component:default/{found}"} if found else set())


@given(STEPS, st.integers(0, 4), CONDITIONS)
def test_selection_is_what_looking_at_each_entity_finds(steps: list[Step], loaded: int, condition: Condition) -> None:
    index, held = play(steps, loaded=loaded)
    found = {index.ref_of(number) for number in index.select(condition)}
    assert found == {ref for ref, kept in held.items() if fulfils(kept, condition)}
    assert len(index) == len(held)


@given(STEPS, st.integers(0, 4), st.sampled_from((None, "metadata.title", "metadata.tags")), st.booleans())
def test_pages_forwards_and_backwards_are_the_sorted_rows(
    steps: list[Step], loaded: int, key: str | None, descending: bool
) -> None:
    index, held = play(steps, loaded=loaded)
    listing = Listing(index, index.all, Sorting(key, is_descending=descending))
    wanted = (
        [("", ref) for ref in held]
        if key is None
        else [
            (value, ref)
            for ref, kept in held.items()
            for held_key, value in rows_of(parse_json(kept.written), uid=kept.uid, relations=())
            if held_key == key and value is not None
        ]
    )
    wanted.sort(reverse=descending, key=lambda row: scatter(row[1]) if key is None else row)
    refs = [ref for _, ref in wanted]
    walked, place = [], None
    while True:
        stretch = listing.take(2, after=place)
        walked += [index.ref_of(number) for number in stretch.numbers]
        place = stretch.last or place
        if not stretch.has_more:
            break
    assert walked == refs
    if place is not None:
        back = listing.take_before(len(refs), place)
        assert [index.ref_of(number) for number in back.numbers] == refs[:-1]
    assert listing.count() == len(set(refs))


@given(STEPS, st.integers(0, 4))
def test_facets_count_entities_by_spelling(steps: list[Step], loaded: int) -> None:
    index, held = play(steps, loaded=loaded)
    wanted: dict[str, int] = {}
    for kept in held.values():
        for (key, _), value in rows_of(parse_json(kept.written), uid=kept.uid, relations=()).items():
            if key == "metadata.tags" and value is not None:
                wanted[value] = wanted.get(value, 0) + 1
    assert dict(index.facet("metadata.tags", None)) == wanted
    assert dict(index.facet("metadata.tags", index.all)) == wanted


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.000001, "0.000001"),
        (123456789012345680000.0, "123456789012345680000"),
        (-2.5e-9, "-2.5e-9"),
    ],
)
def test_numbers_are_written_as_javascript_prints_them(number: float, text: str) -> None:
    assert write_float(number) == text


ITEMS = st.lists(st.sampled_from(("a", "A", "b", "true", 1, None, ["a"], {"b": "c"}, {"a": True})), max_size=4)
VALUES_OF_PATHS = st.one_of(ITEMS, st.sampled_from(("a", "true", None, {"a": "true"}, {"a": "TRUE"}, {"a": ["b"]})))
SPECS = st.lists(
    st.dictionaries(st.sampled_from(("x", "x.a", "x.a.true", "x.b")), VALUES_OF_PATHS, max_size=3), max_size=3
)


@given(SPECS, st.booleans())
def test_keys_of_items_are_those_of_all_rows(specs: list[dict[str, Any]], is_loaded: bool) -> None:
    kept = [with_spec(f"e{number}", spec) for number, spec in enumerate(specs)]
    index = Index(read_rows)
    index.load(make_piece(kept if is_loaded else (), start=0))
    index.finish_loading()
    for one in () if is_loaded else kept:
        index.put(make_entry(one))
    rows = [rows_of(parse_json(one.written), uid=one.uid, relations=()) for one in kept]
    for end in ("", ".a", ".b", ".true", ".1", ".a.true", ".a.b", ".b.c"):
        key = f"spec.x{end}"
        assert set(index.select(HasKey(key))) == {n for n, held in enumerate(rows) if any(k == key for k, _ in held)}
        for value in ("true", "a", "c"):
            having = {n for n, held in enumerate(rows) if (key, value) in held}
            assert set(index.select(HasValue(key, (value,)))) == having
        spelt = [value for held in rows for (k, _), value in held.items() if k == key and value is not None]
        assert dict(index.facet(key, None)) == Counter(spelt)
        assert index.order(key).members == index.select(HasPrefix(key, ""))


def with_spec(name: str, spec: dict[str, Any]) -> Kept:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": spec,
    }
    return Kept(f"uid-{name}", f"component:default/{name}", write_json(document), "digest", {"sort_key": name})


def test_keys_of_items_take_no_columns() -> None:
    kept = [with_spec(f"e{number}", {"dependsOn": [f"resource:r{number}", "resource:all"]}) for number in range(50)]
    index = Index(read_rows)
    index.load(make_piece(kept, start=0))
    index.finish_loading()
    assert set(index.select(HasKey("spec.dependson.resource:r7"))) == {7}
    assert len(index.select(HasValue("spec.dependson.resource:all", ("true",)))) == 50
    assert len(index._columns) < 20
