"""From any YAML to entities: whatever a file holds, it is judged, and what is taken can be kept, shown and found."""

import copy
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.documents import is_storable
from roadbed.catalog.rules.index.entries import Kept, make_entry, read_rows
from roadbed.catalog.rules.judging import FilePlace, JudgedFile, judge_file
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.placeholders import IncludeError

PLACE = FilePlace("catalog-info.yaml", managed_by="file:/catalog-info.yaml", origin="file:/catalog-info.yaml")
METADATA = {
    "name": "a",
    "namespace": "default",
    "title": "A",
    "labels": {"example.com/tier": "1"},
    "annotations": {"backstage.io/techdocs-ref": "dir:."},
    "tags": ["java"],
    "links": [{"url": "https://example.com", "title": "Site", "icon": "web"}],
}
SPECS: dict[str, dict[str, Any]] = {
    "Component": {"type": "service", "lifecycle": "production", "owner": "b", "dependsOn": ["resource:c"]},
    "API": {"type": "openapi", "lifecycle": "production", "owner": "b", "definition": {"$text": "./api.yaml"}},
    "Group": {"type": "team", "children": [], "parent": "b", "profile": {"displayName": "A"}},
    "User": {"memberOf": ["b"], "profile": {"email": "a@example.com"}},
    "Location": {"type": "url", "targets": ["./b.yaml", "https://example.com/c.yaml"]},
}
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ("a:b/c", ":", "/", "a/b/c", "../../etc/passwd", "javascript:x", "<script>", "\x00", "\ud800", "A" * 300)
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of everything inside a document."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return an entity in which some values were replaced, removed or added."""
    kind = draw(st.sampled_from(sorted(SPECS)))
    entity = copy.deepcopy(
        {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": METADATA, "spec": SPECS[kind]}
    )
    for _ in range(draw(st.integers(0, 3))):
        *around, last = draw(st.sampled_from(list(places(entity))))
        node: Any = entity
        for key in around:
            node = node[key]
        if draw(st.booleans()):
            node[last] = draw(VALUES)
        else:
            node.pop(last)
    return entity


def include(path: str) -> bytes:
    if path != "./api.yaml":
        raise IncludeError("there is no such file")
    return b"openapi: 3.0.0"


def judge(content: bytes) -> JudgedFile:
    """Judge a file, and put what it gives where it would be kept."""
    judged = judge_file(content, PLACE, BUILT_IN_KINDS, include)
    assert all(problem.reason for problem in judged.problems)
    for entity in judged.entities:
        assert is_storable(entity.document)
        kept = Kept("uid", str(entity.ref), entity.written, entity.digest, {"title": entity.title})
        entry = make_entry(kept)
        assert sorted(read_rows(entry.document, entry.record), key=str) == sorted(entry.rows, key=str)
    return judged


@given(st.lists(documents(), min_size=1, max_size=3))
def test_any_document_is_an_entity_or_says_why_not(found: list[dict[str, Any]]) -> None:
    judged = judge(yaml.safe_dump_all(found, allow_unicode=True).encode("utf-8", "surrogatepass"))
    assert judged.entities or any(problem.is_error for problem in judged.problems)


@given(st.sampled_from(sorted(SPECS)), st.integers(0, 400), st.binary(max_size=4), st.integers(0, 8))
def test_any_damage_to_a_file_is_told(kind: str, at: int, put_in: bytes, taken_out: int) -> None:
    document = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": METADATA, "spec": SPECS[kind]}
    content = yaml.safe_dump(document).encode()
    judge(content[:at] + put_in + content[at + taken_out :])
