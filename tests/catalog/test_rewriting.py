"""Changing one entity in the text of a file."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.documents import read_documents
from roadbed.catalog.rules.rewriting import find_piece, put_piece, rewrite
from roadbed.kit.jsons import canonical_json
from roadbed.kit.refs import parse_ref

FILE = """\
# the shop
apiVersion: backstage.io/v1alpha1
kind: Component   # a service
metadata:
  name: orders
  description: >-
    Takes customer
    orders.
  annotations:
    # who is called
    pagerduty.com/service-id: 'P1'   # keep
  tags: [shop, "tier-1"]
  links:
    - url: https://a.example
      title: A
    # the other one
    - url: https://b.example
spec:
  type: service
  lifecycle: production  # since 2024
  owner: "team-checkout"
  dependsOn:
  - resource:orders-db
  - component:cart   # for prices

# the end
"""


def put(path: str, value: Any) -> Callable[[Any], None]:
    def work(document: Any) -> None:
        *above, last = path.split("/")
        for part in above:
            document = document[int(part) if isinstance(document, list) else part]
        if isinstance(document, list):
            document[int(last)] = value
        else:
            document[last] = value

    return work


def drop(path: str) -> Callable[[Any], None]:
    def work(document: Any) -> None:
        *above, last = path.split("/")
        for part in above:
            document = document[int(part) if isinstance(document, list) else part]
        del document[int(last) if isinstance(document, list) else last]

    return work


def add(path: str, *values: Any, at: int | None = None) -> Callable[[Any], None]:
    def work(document: Any) -> None:
        for part in path.split("/"):
            document = document[part]
        position = len(document) if at is None else at
        document[position:position] = values

    return work


CASES = {
    "a value in quotes keeps them": (put("spec/owner", "team-x"), '  owner: "team-checkout"', '  owner: "team-x"'),
    "a comment behind a value stays": (
        put("spec/lifecycle", "deprecated"),
        "  lifecycle: production  # since 2024",
        "  lifecycle: deprecated  # since 2024",
    ),
    "a text of lines stands in a block": (
        put("metadata/description", "One.\nTwo.\n"),
        "  description: >-\n    Takes customer\n    orders.\n",
        "  description: |\n    One.\n    Two.\n",
    ),
    "a block becomes one line": (
        put("metadata/description", "Takes them."),
        "  description: >-\n    Takes customer\n    orders.\n",
        "  description: Takes them.\n",
    ),
    "a key is added behind the others": (
        put("spec/system", "shop"),
        "  - component:cart   # for prices\n",
        "  - component:cart   # for prices\n  system: shop\n",
    ),
    "a key is added in a mapping between comments": (
        put("metadata/annotations/a.b", "1"),
        "    pagerduty.com/service-id: 'P1'   # keep\n",
        "    pagerduty.com/service-id: 'P1'   # keep\n    a.b: '1'\n",
    ),
    "a key goes with its lines": (
        drop("metadata/links"),
        "  links:\n    - url: https://a.example\n      title: A\n    # the other one\n    - url: https://b.example\n",
        "",
    ),
    "a list in brackets stays one": (add("metadata/tags", "new"), '[shop, "tier-1"]', "[shop, tier-1, new]"),
    "an item is added at the end": (
        add("spec/dependsOn", "api:x"),
        "  - component:cart   # for prices\n",
        "  - component:cart   # for prices\n  - api:x\n",
    ),
    "an item is added in front": (
        add("spec/dependsOn", "api:x", at=0),
        "  - resource:orders-db\n",
        "  - api:x\n  - resource:orders-db\n",
    ),
    "an item goes": (drop("spec/dependsOn/0"), "  - resource:orders-db\n", ""),
    "an item is changed": (put("spec/dependsOn/1", "component:x"), "component:cart   #", "component:x   #"),
    "a field of an item is added": (
        put("metadata/links/1/title", "B"),
        "    - url: https://b.example\n",
        "    - url: https://b.example\n      title: B\n",
    ),
    "an item of fields is added": (
        add("metadata/links", {"url": "https://c.example", "title": "C"}),
        "    - url: https://b.example\n",
        "    - url: https://b.example\n    - url: https://c.example\n      title: C\n",
    ),
    "a list becomes empty": (
        put("spec/dependsOn", []),
        "  dependsOn:\n  - resource:orders-db\n  - component:cart   # for prices\n",
        "  dependsOn: []\n",
    ),
    "a text becomes a list": (
        put("spec/owner", ["a", "b"]),
        '  owner: "team-checkout"\n',
        "  owner:\n    - a\n    - b\n",
    ),
    "what reads as a number is quoted": (put("spec/type", "0o14"), "  type: service\n", "  type: '0o14'\n"),
    "a text that breaks out of its line does not": (
        put("spec/type", "a: b # c"),
        "  type: service\n",
        "  type: 'a: b # c'\n",
    ),
}


@pytest.mark.parametrize(("change", "before", "after"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_what_is_meant_changes(change: Callable[[Any], None], before: str, after: str, line_end: str) -> None:
    assert FILE.count(before) == 1
    text = f"---\nkind: Other\n---\n{FILE}---\na: [\n"
    content = text.replace("\n", line_end).encode()
    piece = find_piece(content, parse_ref("component:orders"))
    assert piece is not None
    wanted = copy.deepcopy(piece.document.data)
    change(wanted)
    made = rewrite(piece.text, wanted)
    assert made is not None
    assert not made.has_lost_comments
    assert put_piece(content, piece, made.text) == text.replace(before, after).replace("\n", line_end).encode()


UNUSUAL = {
    "json": '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}}\n',
    "json behind dashes": '--- {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}}\n',
    "anchors": "apiVersion: v1\nkind: A\nmetadata: {name: &n a}\nspec:\n  x: &y 1\n  z: *y\n  n: *n\n",
    "explicit keys": "apiVersion: v1\nkind: A\nmetadata: {name: a}\n? spec\n: x: 1\n",
    "no last line end": "apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec:\n  x: 1",
    "an empty value": "apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec:\n  x:   # nothing\n",
    "blank lines kept": "apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec:\n  x: |+\n    a\n\n\n  y: b\n",
    "lists in lists": "apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec:\n  x:\n    - - 1\n      - 2\n",
    "indented root": "  apiVersion: v1\n  kind: A\n  metadata: {name: a}\n  spec: {x: 1}\n",
}


@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("value", ["text", "two\nlines", [1, {"a": None}], {}, True, None, {"k": ["v"]}], ids=str)
def test_unusual_documents_say_exactly_what_is_wanted(text: str, value: Any) -> None:
    wanted = copy.deepcopy(read_documents(text).documents[0].data)
    wanted["spec"]["x"] = value
    wanted["spec"]["added"] = value
    made = rewrite(text, wanted)
    assert made is not None
    found = read_documents(f"kind: B\n{'' if made.text.startswith('---') else '---'}\n{made.text}")
    assert canonical_json(found.documents[-1].data) == canonical_json(wanted)


LETTERS = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n :#-'\"&*[]{}|>%@`0e1")
WORDS = st.text(LETTERS, max_size=12)
NAMES = WORDS.filter(lambda word: word != "<<")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(before=VALUES, after=VALUES, name=st.sampled_from(["owner", "dependsOn", "new"]))
def test_whatever_is_wanted_is_what_the_file_says(before: Any, after: Any, name: str) -> None:
    document = read_documents(FILE).documents[0].data
    document["spec"][name] = before
    first = rewrite(FILE, document)
    assert first is not None
    wanted = copy.deepcopy(document)
    wanted["spec"][name] = after
    second = rewrite(first.text, wanted)
    assert second is not None
    assert canonical_json(read_documents(second.text).documents[0].data) == canonical_json(wanted)
    assert "# the end" in second.text
    assert "# since 2024" in second.text or second.has_lost_comments


def test_the_last_of_two_documents_of_a_name_is_found_and_none_where_there_is_none() -> None:
    text = "kind: A\napiVersion: v1\nmetadata: {name: a}\nspec: {}\n"
    piece = find_piece(f"{text}---\n{text}".encode(), parse_ref("a:a"))
    assert piece is not None
    assert piece.first_line == 4
    assert find_piece(text.encode(), parse_ref("a:b")) is None
    assert find_piece(b"\xff", parse_ref("a:b")) is None
    assert find_piece(b"x: " + b"[" * 100_000, parse_ref("a:b")) is None
