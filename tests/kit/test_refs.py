import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref, ref_of

PARTS = st.text("abcXYZ019-_.", min_size=1, max_size=20)


@given(PARTS, PARTS, PARTS)
def test_ref_reads_back_from_its_identity(kind: str, namespace: str, name: str) -> None:
    ref = EntityRef(kind, namespace, name)
    assert parse_ref(str(ref)) == ref


@given(PARTS, PARTS, PARTS)
def test_short_form_reads_back_under_the_same_defaults(kind: str, namespace: str, name: str) -> None:
    ref = EntityRef(kind, namespace, name)
    short = ref.shorten(default_kind="abc")
    assert parse_ref(short, default_kind="abc") == ref


def test_refs_that_differ_only_in_case_are_one_identity() -> None:
    assert EntityRef("Component", "Default", "Orders") == parse_ref("component:orders")
    assert len({parse_ref("API:x"), parse_ref("api:X")}) == 1


def test_ref_keeps_the_spelling_it_was_given() -> None:
    assert parse_ref("Component:Shop/Orders").name == "Orders"


def test_ref_without_kind_needs_a_default() -> None:
    with pytest.raises(InvalidRef, match="missing or empty kind"):
        parse_ref("orders")
    assert str(parse_ref("checkout", default_kind="Group", default_namespace="shop")) == "group:shop/checkout"


def test_part_that_is_no_text_is_an_error() -> None:
    with pytest.raises(InvalidRef, match="name that is not a string"):
        parse_ref({"kind": "a", "name": 7})


def test_ref_of_entity_without_namespace_is_in_default() -> None:
    assert str(ref_of({"kind": "API", "metadata": {"name": "Orders"}})) == "api:default/orders"
