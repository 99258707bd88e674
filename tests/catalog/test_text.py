"""Finding texts inside values, beside LIKE as SQL has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.index.text import TextSearch

LETTERS = st.text("ab%_\\", max_size=6)


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


@given(values=st.lists(LETTERS, unique=True), term=LETTERS)
def test_values_are_found_as_like_finds_them(values: list[str], term: str) -> None:
    assert list(TextSearch(values).find(term)) == [value for value in values if is_like(value, f"%{term}%")]


@pytest.mark.parametrize("count", [10, 10_000])
def test_each_value_is_found_once_however_many_there_are(count: int) -> None:
    values = [f"service-{number}-services" for number in range(count)]
    assert list(TextSearch([*values, "other"]).find("service")) == values
    assert list(TextSearch(values).find("-7-")) == ["service-7-services"]


def test_what_stands_between_values_is_in_none() -> None:
    assert list(TextSearch(["ab", "cd"]).find("b\0c")) == []
