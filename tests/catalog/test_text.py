"""Finding texts inside values, beside LIKE as SQL has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.index.columns import Column
from roadbed.catalog.rules.index.text import TextSearch

LETTERS = st.text("ab-1%_\\", max_size=6) | st.text(max_size=4).filter(lambda text: "\0" not in text).map(str.lower)


def is_like(text: str, pattern: str) -> bool:
    """Tell whether a text is LIKE a pattern, with the backslash as escape: PostgreSQL 17, 9.7.1."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(is_like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    wild, rest = pattern[0] == "_", pattern[1:]
    if pattern[0] == "\\":
        pattern, rest = pattern[1:], pattern[2:]
    return bool(text) and (wild or text[0] == pattern[0]) and is_like(text[1:], rest)


def find(values: list[str], term: str) -> list[str]:
    """Return the values that hold a term, each once, in their order."""
    return [values[place] for place in sorted(set(TextSearch(values).find(term)))]


@given(values=st.lists(LETTERS, unique=True), term=LETTERS)
def test_values_are_found_as_like_finds_them(values: list[str], term: str) -> None:
    assert find(values, term) == [value for value in values if is_like(value, f"%{term}%")]


@given(values=st.lists(st.text("aäß1-²e\u0301 ", max_size=8), unique=True, min_size=1), data=st.data())
def test_part_of_a_value_is_found_in_all_that_hold_it(values: list[str], data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(values))
    start = data.draw(st.integers(0, len(value)))
    part = value[start : data.draw(st.integers(start, len(value)))]
    assert find(values, part) == [value for value in values if part in value]


@pytest.mark.parametrize("count", [10, 10_000])
def test_values_are_found_in_their_order_however_many_there_are(count: int) -> None:
    values = [f"service-{number}-services" for number in range(count)]
    assert find([*values, "other"], "service") == values
    assert find(values, "-7-") == ["service-7-services"]
    assert find(["other", *values, "other"], "r") == ["other", *values, "other"]


def test_values_that_come_go_and_are_shared_are_found() -> None:
    column = Column(ref=str)
    for number, value in enumerate(("One", "two", "one")):
        column.add(number, value)
    assert list(column.find_text("o")) == [0, 1, 2]
    column.add(3, "two")
    column.add(4, "two")
    assert list(column.find_text("w")) == [1, 3, 4]
    column.remove(1, "two")
    column.remove(0, "One")
    assert list(column.find_text("o")) == [2, 3, 4]


def test_what_stands_between_values_is_in_none() -> None:
    assert find(["ab", "cd"], "b\0c") == []
