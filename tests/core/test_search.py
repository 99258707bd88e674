"""How a text is compared with a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.core.search import rank, split_match

NAMES = ["orders", "orders-api", "Team orders", "preorders", "cart"]


@pytest.mark.parametrize(("name", "expected"), list(zip(NAMES, [0, 1, 2, 3, None], strict=True)))
def test_name_that_begins_with_the_text_is_better_than_one_that_holds_it(name: str, expected: int | None) -> None:
    assert rank("Orders", name) == expected


def test_later_word_counts_as_a_word() -> None:
    assert rank("or", "color order") == 2


@given(wanted=st.text("ab-_ ß1", min_size=1, max_size=3), name=st.text("ab-_ ß1", max_size=6))
def test_the_best_place_of_a_name_counts(wanted: str, name: str) -> None:
    starts = [start for start in range(len(name)) if name.startswith(wanted, start)]
    if not starts:
        assert rank(wanted, name) is None
    elif name == wanted:
        assert rank(wanted, name) == 0
    elif starts[0] == 0:
        assert rank(wanted, name) == 1
    else:
        assert rank(wanted, name) == (2 if any(not name[start - 1].isalnum() for start in starts) else 3)


def test_match_is_marked_without_regard_to_case() -> None:
    assert split_match("ORD", "my-orders") == [("my-", False), ("ord", True), ("ers", False)]
    assert split_match("x", "orders") == [("orders", False)]


@given(st.text(max_size=5), st.text(min_size=1, max_size=20))
def test_parts_are_always_the_whole_name(text: str, name: str) -> None:
    assert "".join(part for part, _ in split_match(text, name)) == name
