from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roadbed.catalog.rules.documents import Limits, read_documents, read_quickly

FRAGMENTS = [
    "a",
    "b: ",
    "\n",
    "\n  ",
    "\n- ",
    "---\n",
    "...\n",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'x'",
    '"y\\0"',
    "&k ",
    "*k",
    "!t ",
    "? ",
    "| \n  z",
    "> \n  z",
    "# c\n",
    "1",
    "0o7",
    ".5",
    "~",
    "<<: ",
    "$text: ",
    "%YAML 1.2\n",
    "\t",
]


def shapes(content: bytes, **limits: int) -> list[Any]:
    reading = read_quickly(content, limits=Limits(**limits))
    careful = read_documents(content, limits=Limits(**limits))
    found = [(document.data, document.line, document.end_line) for document in reading.documents]
    assert found == [(document.data, document.line, document.end_line) for document in careful.documents]
    assert reading.problems == careful.problems
    return [reading.has_places, found]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(lambda parts: "".join(parts).encode()))
@example(b"a: 1\n---\nb: {c: [d, 'e', 2.50, ~]}\n---\n")
@example(b"# nothing\n---\na: 1\n...\n---\nb: 2\n")
def test_reading_quickly_gives_the_same_as_reading_carefully(content: bytes) -> None:
    shapes(content)


def test_ordinary_file_is_read_without_places() -> None:
    content = b"---\nkind: Component\nspec: {type: service, tags: [a, 'b']}\n---\nkind: API\ntext: |\n  one\n  two\n"
    has_places, found = shapes(content)
    assert not has_places
    assert [data for data, *_ in found] == [
        {"kind": "Component", "spec": {"type": "service", "tags": ["a", "b"]}},
        {"kind": "API", "text": "one\ntwo\n"},
    ]
    assert [(line, end) for _, line, end in found] == [(2, 4), (5, 9)]


@pytest.mark.parametrize(
    "content",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 1\na: 2\n",
        "<<: 1\n",
        "1: a\n",
        "? [a]\n: b\n",
        '"a": "x\\0"\n',
        "definition:\n  $text: ./openapi.yaml\n",
        "- a\n",
        "just text\n",
        "a: [\n",
        "---\n---\na: 1\n",
    ],
)
def test_what_is_out_of_the_ordinary_is_read_carefully(content: str) -> None:
    assert shapes(content.encode())[0]


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        ("a: 1\n---\nb: 2\n", {"documents": 1}),
        ("a: [1, 2, 3, 4]\n", {"nodes_of_document": 3}),
        ("a: {b: {c: {d: 1}}}\n", {"depth": 3}),
        ("a: 1\n", {"size_bytes": 2}),
    ],
)
def test_what_is_beyond_a_limit_is_read_carefully(content: str, limits: dict[str, int]) -> None:
    assert shapes(content.encode(), **limits)[0]
