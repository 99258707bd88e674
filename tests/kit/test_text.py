"""Words for values."""

from roadbed.kit.text import name_actor, number, shorten_digests


def test_an_actor_is_named_in_words() -> None:
    assert [name_actor(label) for label in ("user:ines", "system:sample", "ines")] == ["ines", "Roadbed", "ines"]


def test_digests_are_cut_and_other_words_stay() -> None:
    assert shorten_digests(f"commit:shop/orders@{'a1' * 20}") == "commit:shop/orders@a1a1a1a1a1a1"
    assert shorten_digests("component:default/orders") == "component:default/orders"


def test_counts_have_separators_and_words_stay() -> None:
    assert [number(value) for value in (7, 10_008, "more than 5")] == ["7", "10,008", "more than 5"]
