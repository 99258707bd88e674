from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.documents import Limits, Reading, read_documents


def read_value(text: str) -> Any:
    reading = read_documents(f"value: {text}\n")
    assert not reading.problems
    return reading.documents[0].data["value"]


def only_problem(reading: Reading) -> Any:
    assert len(reading.problems) == 1, reading.problems
    return reading.problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("0o14", 12),
        ("0x1F", 31),
        ("0123", 123),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1e3", 1000),
        (".5", 0.5),
        ("3.0", 3),
        ("-3", -3),
        ("+7", 7),
        (".inf", None),
        (".nan", None),
        ("12345678901234567890", 12345678901234567000),
        ("9007199254740993", 9007199254740992),
        ("~", None),
        ("", None),
        ("Null", None),
        ("True", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ('"true"', "true"),
        ("'8080'", "8080"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("=", "="),
        ("-x", "-x"),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(text: str, value: Any) -> None:
    result = read_value(text)
    assert result == value
    assert type(result) is type(value)


def test_keys_become_texts() -> None:
    document = read_documents("{1: a, true: b, ~: c, 1.5: d}\n").documents[0]
    assert document.data == {"1": "a", "true": "b", "": "c", "1.5": "d"}


def test_each_node_knows_its_line_and_column() -> None:
    document = read_documents("a: 1\n---\nb:\n  - x\n  - {c: [y]}\n", file="f.yaml").documents[1]
    assert document.line == 3
    assert document.locate(("b", 0)) == (4, 5)
    assert document.locate(("b", 1, "c", 0)) == (5, 10)
    assert document.locate(("b", 1, "c"), at_key=True) == (5, 6)
    assert document.locate(("b", 7)) == (4, 3)
    assert document.problem(("b", 1, "c"), "reason").path == "b[1].c"


def test_empty_documents_are_skipped() -> None:
    reading = read_documents("---\n---\na: 1\n---\n# only a comment\n---\n")
    assert [document.data for document in reading.documents] == [{"a": 1}]
    assert not reading.problems


def test_duplicate_key_is_reported_with_both_lines_and_costs_only_its_document() -> None:
    reading = read_documents("a: 1\nb: 2\na: 3\n---\nc: 1\n")
    problem = only_problem(reading)
    assert (problem.line, problem.column) == (3, 1)
    assert "'a' stands twice; first on line 1" in problem.reason
    assert [document.data for document in reading.documents] == [{"c": 1}]


def test_syntax_error_costs_only_its_document() -> None:
    reading = read_documents("a: 1\n---\nb: [1, 2\n---\nc: 3\n---\nd: |\n  text\n--- \ne: 5\n")
    assert [document.data for document in reading.documents] == [{"a": 1}, {"c": 3}, {"d": "text\n"}, {"e": 5}]
    assert [document.line for document in reading.documents] == [1, 5, 7, 10]
    problem = only_problem(reading)
    assert problem.reason.startswith("The YAML cannot be read: ")
    assert problem.line in {3, 4}


def test_directives_stay_with_their_document_after_a_syntax_error() -> None:
    reading = read_documents("%YAML 1.2\n---\na: 1\n---\nb: [\n")
    assert [document.data for document in reading.documents] == [{"a": 1}]
    assert len(reading.problems) == 1


def test_merge_keys_are_ordinary_keys_and_warned_about() -> None:
    reading = read_documents("a: &a {x: 1}\nb: {<<: *a}\n")
    assert reading.documents[0].data["b"] == {"<<": {"x": 1}}
    assert not only_problem(reading).is_error


def test_unknown_tags_are_ignored_with_a_warning() -> None:
    reading = read_documents("a: !Ref b\nc: !!timestamp 2024-01-31\nd: !Map {e: 1}\n")
    assert reading.documents[0].data == {"a": "b", "c": "2024-01-31", "d": {"e": 1}}
    assert [problem.is_error for problem in reading.problems] == [False] * 3


def test_list_at_the_root_is_not_an_entity() -> None:
    assert "is a list, not an entity" in only_problem(read_documents("- a\n")).reason


def test_alias_bomb_is_met_before_it_expands() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problem = only_problem(read_documents("\n".join(lines)))
    assert "more than 100,000 nodes" in problem.reason


def test_alias_to_what_it_stands_in_is_reported() -> None:
    assert "would never end" in only_problem(read_documents("a: &a [*a]\n")).reason


def test_alias_without_anchor_is_reported() -> None:
    assert read_documents("a: *b\n").problems


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "{b: " * 5000, "- " * 5000])
def test_deep_nesting_ends_early(text: str) -> None:
    assert "nested more than 100 levels" in only_problem(read_documents(text)).reason


def test_big_file_is_refused() -> None:
    problem = only_problem(read_documents(b"a: " + b"x" * 100, limits=Limits(size_bytes=50)))
    assert "103 bytes; at most 50 are read" in problem.reason


def test_documents_beyond_the_limit_are_not_read() -> None:
    reading = read_documents("---\na: 1\n" * 50_000)
    assert len(reading.documents) == 10_000
    assert "more than 10,000 documents" in only_problem(reading).reason


def test_text_that_is_not_utf8_is_reported_with_its_place() -> None:
    problem = only_problem(read_documents(b"a: 1\nb: \xff\n"))
    assert (problem.line, problem.column) == (2, 4)
    assert "not UTF-8" in problem.reason


def test_byte_order_mark_is_dropped() -> None:
    assert read_documents("\ufeffa: 1".encode()).documents[0].data == {"a": 1}


def test_control_characters_are_reported() -> None:
    assert "cannot be read" in only_problem(read_documents("a: \x01\n")).reason


def test_number_that_json_cannot_keep_is_reported() -> None:
    assert "too large" in only_problem(read_documents("a: 1e999\n")).reason
    assert "too large" in only_problem(read_documents("a: " + "9" * 5000)).reason


@given(st.one_of(st.binary(max_size=200), st.text("ab:-[]{}&*!|>#%@'\" \n\t~<", max_size=80).map(str.encode)))
def test_reading_never_raises(content: bytes) -> None:
    reading = read_documents(content)
    for document in reading.documents:
        assert isinstance(document.data, dict)
    for problem in reading.problems:
        assert problem.reason
