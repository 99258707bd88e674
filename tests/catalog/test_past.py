"""Versions of entities on their way into the index of the past: those of kinds that are gone, and of orphans."""

from typing import Any

import pytest

from roadbed.catalog.rules.index.entries import ORPHAN, OWNER, TITLE, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.ranks import CHANGED
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.past import Version, read_piece
from roadbed.kit.clock import now
from roadbed.kit.jsons import write_json

SPEC = {"type": "service", "lifecycle": "production", "owner": "team-a"}


def version(kind: str = "Component", *, is_orphan: bool = False, **spec: Any) -> Version:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "one", "title": "First"},
        "spec": SPEC | spec,
    }
    ref = f"{kind.lower()}:default/one"
    return Version("1", ref, write_json(document).decode(), "digest", None, now(), is_orphan)


@pytest.mark.parametrize(
    ("held", "title", "owner", "edges"),
    [
        (version(), "first", "group:default/team-a", 2),
        (version(is_orphan=True), "first", "group:default/team-a", 0),
        (version("Gone"), "one", None, 0),
        (version(owner="::"), "one", None, 0),
    ],
)
def test_every_version_has_an_entry(held: Version, title: str, owner: str | None, edges: int) -> None:
    piece = read_piece([held], BUILT_IN_KINDS, start=0)
    assert len(piece.edges) == edges
    index = Index(read_rows)
    index.load(piece.entries)
    index.finish_loading()
    assert index.facet(TITLE, None) == {title: 1}
    assert index.facet(OWNER, None) == ({owner: 1} if owner else {})
    assert (index.column(ORPHAN) is not None) is held.is_orphan
    assert len(index.list_order(CHANGED)) == 1
