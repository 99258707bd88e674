"""The health of an entity beside that of what it depends on and of its parts."""

from collections.abc import Mapping
from typing import Any

import pytest

from roadbed.catalog.contract import Health, StatusReport, report_status
from roadbed.catalog.rules.health import Rollup, roll_up, say_dependencies, say_health, say_parts, sort_key, worst_of
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component
from tests.support import RunningServer
from tests.waiting import wait_for

UP, DOWN, SLOW, GOING, UNKNOWN = Health.HEALTHY, Health.FAILING, Health.DEGRADED, Health.DEPLOYING, Health.UNKNOWN
Graph = Mapping[str, list[str]]


def judge(
    needs: Graph, states: Mapping[str, str], *, parts: Graph | None = None, limit: int = 500
) -> tuple[Rollup, Rollup]:
    """Roll up `a`; names are components, those with a colon what they say."""

    def ref(name: str) -> str:
        return name if ":" in name else f"component:default/{name}"

    edges: dict[str, list[tuple[str, str]]] = {}
    for type_, given in (("dependsOn", needs), ("hasPart", parts or {})):
        for source, targets in given.items():
            edges.setdefault(ref(source), []).extend((type_, ref(target)) for target in targets)
    known = {ref(name): state for name, state in states.items()}
    return roll_up(ref("a"), lambda one: edges.get(one, []), known.get, limit=limit)


def names(rollup: Rollup) -> list[str]:
    return [ref.rpartition("/")[2] for ref in rollup.path]


@pytest.mark.parametrize(
    ("needs", "states", "state", "path"),
    [
        ({}, {}, None, []),
        ({"a": ["b"]}, {}, UNKNOWN, []),
        ({"a": ["b"]}, {"b": UP}, UP, []),
        ({"a": ["b"]}, {"b": "unknown"}, UNKNOWN, []),
        ({"a": ["b"]}, {"b": "green"}, UNKNOWN, []),
        ({"a": ["b", "c"]}, {"b": UP, "c": SLOW}, SLOW, ["c"]),
        ({"a": ["b", "c"]}, {"b": DOWN, "c": SLOW}, DOWN, ["b"]),
        ({"a": ["b"], "b": ["c"], "c": ["d"]}, {"b": UP, "d": DOWN}, DOWN, ["b", "c", "d"]),
        ({"a": ["b", "c"], "b": ["d"], "d": ["e"], "c": ["e"]}, {"e": DOWN}, DOWN, ["c", "e"]),
        ({"a": ["b", "c"], "b": ["x"], "c": []}, {"x": DOWN, "c": DOWN}, DOWN, ["c"]),
        ({"a": ["b"], "b": ["a"]}, {"a": DOWN, "b": UP}, UP, []),
        ({"a": ["a"]}, {"a": DOWN}, None, []),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, {"c": SLOW}, SLOW, ["b", "c"]),
        ({"a": ["b"]}, {"b": GOING}, GOING, ["b"]),
        ({"a": ["b", "c"]}, {"b": GOING, "c": UNKNOWN}, GOING, ["b"]),
        ({"a": ["api:default/x"], "api:default/x": ["c"]}, {"c": DOWN}, DOWN, ["x", "c"]),
    ],
)
def test_worst_that_is_checked_counts_by_the_shortest_way(
    needs: Graph, states: Mapping[str, str], state: Health | None, path: list[str]
) -> None:
    dependencies, parts = judge(needs, states)
    assert (dependencies.state, names(dependencies)) == (state, path)
    assert parts.total == 0


def test_what_is_not_checked_is_counted_and_apis_are_not_missed() -> None:
    dependencies, _ = judge({"a": ["b", "c", "api:default/x"]}, {"b": UP})
    assert dependencies.total == 2
    assert dependencies.counts == {UP: 1, UNKNOWN: 1}
    assert say_dependencies(dependencies, "") == "1 that it depends on is healthy; 1 is not checked"


def test_parts_of_parts_count_and_what_they_need_counts_as_needed_by_the_whole() -> None:
    parts = {"a": ["system:default/s"], "system:default/s": ["b", "c"]}
    dependencies, made_of = judge({"b": ["d"], "c": ["b"]}, {"b": UP, "c": UP, "d": DOWN}, parts=parts)
    assert (made_of.state, made_of.total) == (UP, 2)
    assert (dependencies.state, names(dependencies)) == (DOWN, ["s", "b", "d"])
    assert dependencies.total == 1


def test_more_than_the_limit_is_cut_and_says_so() -> None:
    many = [f"n{number:04}" for number in range(20)]
    dependencies, _ = judge({"a": many}, {many[-1]: DOWN}, limit=10)
    assert dependencies.is_cut
    assert (dependencies.total, dependencies.state) == (10, UNKNOWN)


@pytest.mark.parametrize(
    ("own", "is_checkable", "needs", "parts", "sentence"),
    [
        (UP, True, DOWN, None, "It is healthy, but it depends on X, which fails"),
        (DOWN, True, SLOW, None, "It fails and it depends on X, which is degraded"),
        (None, True, DOWN, None, "It is not checked, but it depends on X, which fails"),
        (UP, True, UP, None, "It is healthy"),
        (UP, True, None, None, "It is healthy"),
        ("unknown", True, UNKNOWN, None, "It is not checked"),
        (None, False, None, DOWN, "Its part X fails"),
        (None, False, GOING, SLOW, "It depends on X, which is being deployed; its part X is degraded"),
        (None, False, None, UP, "1 of its parts is healthy"),
        (None, False, None, UNKNOWN, "None of its parts is checked"),
        (None, False, None, None, "Nothing of it can be checked"),
    ],
)
def test_sentence_tells_own_health_apart_from_that_of_others(
    own: str | None, is_checkable: bool, needs: Health | None, parts: Health | None, sentence: str
) -> None:
    rollups = [_rollup(needs), _rollup(parts)]
    clauses = [(rollups[0], say_dependencies(rollups[0], "X")), (rollups[1], say_parts(rollups[1], "X"))]
    assert say_health(own, is_checkable=is_checkable, clauses=clauses) == sentence


def _rollup(state: Health | None) -> Rollup:
    total = 0 if state is None else 1
    path = ("component:default/x",) if state in (DOWN, SLOW, GOING) else ()
    return Rollup(state, path, total, {state: 1} if state else {}, is_cut=False)


def test_worst_of_several_is_one_that_is_checked() -> None:
    assert worst_of([]) is UNKNOWN
    assert worst_of([UP, UNKNOWN]) is UP
    assert worst_of([UP, DOWN, SLOW]) is DOWN
    assert sorted(["healthy", "nonsense", "failing", "deploying", "degraded"], key=sort_key) == [
        "failing", "degraded", "deploying", "healthy", "nonsense",
    ]  # fmt: skip


SYSTEM = """---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: hang-system}
spec: {owner: team-none}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: hang-db, title: "Orders <db>"}
spec: {type: database, owner: team-none}
"""


def test_pages_and_api_show_what_a_healthy_component_depends_on(place: Place, server: RunningServer) -> None:
    place.write(
        a=component("hang-orders", system="hang-system", dependsOn="[component:hang-ledger]")
        + component("hang-ledger", dependsOn="[resource:hang-db]")
        + SYSTEM
    )
    place.register()

    async def report() -> None:
        async with server.database.write() as session:
            for ref, state in (("component:default/hang-orders", UP), ("resource:default/hang-db", DOWN)):
                status = StatusReport(key="health", state=state, summary=f"{ref} is {state}", source="tests")
                await report_status(session, parse_ref(ref), status)

    server.run(report())

    def look() -> dict[str, Any]:
        health: dict[str, Any] = place.get("component:default/hang-orders").json()["health"]
        return health

    health = wait_for(look, lambda found: found["dependencies"]["state"] == "failing", what="the index")
    assert health["own"] == "healthy"
    assert health["summary"] == "It is healthy, but it depends on Orders <db>, which fails"
    assert health["dependencies"]["path"] == ["component:default/hang-ledger", "resource:default/hang-db"]
    assert health["dependencies"]["status"]["source"] == "tests"
    assert health["dependencies"]["counts"] == {"failing": 1, "unknown": 1}
    system = place.get("system:default/hang-system").json()["health"]
    assert (system["own"], system["parts"]["state"], system["dependencies"]["state"]) == (None, "healthy", "failing")
    page = _page(place, "component/default/hang-orders")
    assert "It depends on Orders &lt;db&gt;, which fails" in page
    assert 'href="/catalog/resource/default/hang-db"' in page
    assert "1 of its parts is healthy" in _page(place, "system/default/hang-system")
    drawn = _page(place, "component/default/hang-orders/dependencies")
    assert "It is healthy, but it depends on Orders &lt;db&gt;, which fails." in drawn


def _page(place: Place, path: str) -> str:
    answer = place.api.get(f"/catalog/{path}", headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text
