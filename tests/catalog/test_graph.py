"""Walks along relations, what is affected, and what a group owns; over tables of cases and over REST."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from roadbed.catalog.rules.drawing import HEIGHT, WIDTH, Label, draw, write_svg
from roadbed.catalog.rules.graph import Direction, Walk, find_circles, walk
from roadbed.catalog.rules.ownership import spread_down
from tests.catalog.conftest import component, group
from tests.catalog.test_pages import page

YAML = {"content-type": "application/yaml"}
INVERSES = {"dependsOn": "dependencyOf", "dependencyOf": "dependsOn", "partOf": "hasPart", "hasPart": "partOf"}


def relations(*needs: str) -> dict[str, list[tuple[str, str]]]:
    """`a>b` says that a depends on b, `a)b` that a is part of b."""
    found: dict[str, list[tuple[str, str]]] = {}
    for need in needs:
        type_ = "dependsOn" if ">" in need else "partOf"
        source, target = (f"component:{name}" for name in need.replace(")", ">").split(">"))
        found.setdefault(source, []).append((type_, target))
        found.setdefault(target, []).append((INVERSES[type_], source))
    return found


def reached(needs: Iterable[str], **wish: Any) -> dict[str, int]:
    known = relations(*needs)
    graph = walk("component:a", lambda ref: known.get(ref, ()), Walk(**wish), inverses=INVERSES)
    return {ref.removeprefix("component:"): steps for ref, steps in graph.steps.items()}


CHAIN = ("a>b", "b>c", "c>d", "z>a", "y>z", "other>b")


@pytest.mark.parametrize(
    ("needs", "wish", "expected"),
    [
        (CHAIN, {"depth": 1}, {"a": 0, "b": 1, "z": -1}),
        (CHAIN, {"depth": None}, {"a": 0, "b": 1, "c": 2, "d": 3, "z": -1, "y": -2}),
        (CHAIN, {"direction": Direction.DEPENDENTS}, {"a": 0, "z": -1, "y": -2}),
        (CHAIN, {"direction": Direction.DEPENDENCIES, "depth": 2}, {"a": 0, "b": 1, "c": 2}),
        (CHAIN, {"depth": None, "limit": 3}, {"a": 0, "z": -1, "b": 1}),
        (("a>b", "a)s"), {}, {"a": 0, "b": 1}),
        (("a>b", "a)s"), {"relations": ("partOf",)}, {"a": 0, "s": 1}),
        (("a>b", "b>a"), {"depth": None}, {"a": 0, "b": -1}),
        (("a>b",), {"kinds": frozenset({"api"})}, {"a": 0}),
        ((), {}, {"a": 0}),
    ],
)
def test_walk_goes_one_way_and_nearest_first(
    needs: tuple[str, ...], wish: dict[str, Any], expected: dict[str, int]
) -> None:
    assert reached(needs, **wish) == expected


def test_walk_says_when_it_was_cut_and_marks_circles() -> None:
    known = relations("a>b", "b>c", "c>a", "c>d", "a>a", "d>e")
    whole = walk("component:a", lambda ref: known.get(ref, ()), Walk(depth=None), inverses=INVERSES)
    assert whole.cycles == [["component:a", "component:b", "component:c"]]
    assert {f"{edge.source[-1]}{edge.target[-1]}" for edge in whole.edges if edge.is_cyclic} == {"ab", "bc", "ca", "aa"}
    assert {f"{edge.source[-1]}{edge.target[-1]}" for edge in whole.edges if not edge.is_cyclic} == {"cd", "de"}
    assert not whole.is_cut
    assert walk("component:a", lambda ref: known.get(ref, ()), Walk(limit=2), inverses=INVERSES).is_cut


def test_what_is_not_there_is_drawn_with_the_edges_that_others_declare() -> None:
    known = {"component:a": [("dependsOn", "component:ghost")]}
    graph = walk("component:a", lambda ref: known.get(ref, ()), Walk(), inverses=INVERSES)
    assert [(edge.source, edge.target) for edge in graph.edges] == [("component:a", "component:ghost")]


@pytest.mark.parametrize(
    ("targets", "circles"),
    [
        ({"a": ["b"], "b": []}, []),
        ({"a": ["a"]}, [["a"]]),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c", "a"]}, [["a", "b"], ["c", "d"]]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
        ({str(n): [str(n + 1)] for n in range(3000)} | {"3000": ["0"]}, [sorted(map(str, range(3001)))]),
    ],
)
def test_circles_are_found(targets: dict[str, list[str]], circles: list[list[str]]) -> None:
    assert find_circles(targets) == circles


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ({"a": ["b", "c"], "b": ["d"]}, {"a": 0, "b": 1, "c": 1, "d": 2}),
        ({"a": ["b"], "b": ["a"]}, {"a": 0, "b": 1}),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, {"a": 0, "b": 1, "c": 1, "d": 2}),
    ],
)
def test_groups_below_count_once(children: dict[str, list[str]], expected: dict[str, int]) -> None:
    assert spread_down("a", lambda ref: children.get(ref, ()), limit=10) == expected
    assert len(spread_down("a", lambda ref: children.get(ref, ()), limit=2)) == 2


def test_nodes_of_a_drawing_do_not_lie_on_one_another() -> None:
    needs = [f"a>n{n}" for n in range(300)] + [f"n{n}>m{n % 7}" for n in range(300)] + [f"u{n}>a" for n in range(40)]
    known = relations(*needs)
    graph = walk("component:a", lambda ref: known.get(ref, ()), Walk(limit=500), inverses=INVERSES)
    drawing = draw(graph.steps, graph.edges)
    places = sorted(drawing.places.values())
    assert len(set(places)) == len(places) == 348
    rows: dict[int, list[int]] = {}
    for x, y in places:
        assert 0 <= x <= drawing.width - WIDTH
        assert 0 <= y <= drawing.height - HEIGHT
        rows.setdefault(x, []).append(y)
    assert all(b - a > HEIGHT for column in rows.values() for a, b in pairwise(column))
    assert drawing.height < 3 * drawing.width


def test_drawn_file_holds_no_markup_of_others() -> None:
    graph = walk("component:a", lambda _: (), Walk(), inverses=INVERSES)
    label = Label("<script>alert(1)</script>", "Not <b>found</b>", "off", is_found=False)
    text = write_svg(draw(graph.steps, graph.edges), {"component:a": label}, title="</title><script>")
    assert "<script" not in text
    assert "<b>" not in text


@pytest.fixture(scope="module")
def shop(api: httpx.Client) -> httpx.Client:
    """web → orders → db; orders provides an API that partner consumes; refunds and orders need each other."""
    api_entity = component("g-api", type="openapi", definition="text", owner="g-team").replace("Component", "API")
    text = "".join(
        (
            component("g-web", owner="g-front", dependsOn="[component:g-orders, component:g-ghost]"),
            component(
                "g-orders", owner="g-team", dependsOn="[resource:g-db, component:g-refunds]", providesApis="[g-api]"
            ),
            component("g-refunds", owner="g-team", dependsOn="[component:g-orders]"),
            component("g-partner", owner="g-none", consumesApis="[g-api]"),
            component("g-db", owner="g-team", type="database")
            .replace("Component", "Resource")
            .replace("  lifecycle: production\n", ""),
            api_entity,
            group("g-top", children="[g-team]"),
            group("g-team", parent="g-top", children="[g-front]", members="[g-ines]"),
            group("g-front", parent="g-team", children="[g-top]"),
        )
    )
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    return api


def get(api: httpx.Client, ref: str, **params: Any) -> dict[str, Any]:
    answer = api.get(f"/api/v1/entities/{ref.replace(':', '/')}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_graph_is_walked_both_ways(shop: httpx.Client) -> None:
    found = get(shop, "component:default/g-orders/graph", depth=2)
    steps = {node["ref"].partition("/")[2]: node["steps"] for node in found["nodes"]}
    assert steps == {"g-orders": 0, "g-api": -1, "g-refunds": -1, "g-web": -1, "g-db": 1, "g-partner": -2}
    assert found["cycles"] == [["component:default/g-orders", "component:default/g-refunds"]]
    assert (found["nodes"][0]["title"], found["nodes"][0]["owner"]) == ("g-orders", "group:default/g-team")
    web = get(shop, "component:default/g-web/graph", direction="dependencies", kinds="component", depth=1)
    assert [(node["ref"], node["found"]) for node in web["nodes"]] == [
        ("component:default/g-web", True),
        ("component:default/g-ghost", False),
        ("component:default/g-orders", True),
    ]
    cut = get(shop, "component:default/g-orders/graph", limit=2)
    assert (len(cut["nodes"]), cut["is_cut"]) == (2, True)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"relations": "dependOn"}, "catalog.relation_unknown"),
        ({"kinds": "componnet"}, "catalog.kind_not_found"),
        ({"depth": 0}, "request.invalid"),
        ({"limit": 100_000}, "request.invalid"),
    ],
)
def test_walk_that_makes_no_sense_is_refused(shop: httpx.Client, params: dict[str, Any], code: str) -> None:
    answer = shop.get("/api/v1/entities/component/default/g-orders/graph", params=params)
    assert answer.json()["code"] == code


def test_impact_names_what_depends_on_it_and_whose_it_is(shop: httpx.Client) -> None:
    found = get(shop, "resource:default/g-db/impact")
    ways = {item["ref"]: (item["steps"], item["via"]) for item in found["items"]}
    assert ways == {
        "component:default/g-orders": (-1, "resource:default/g-db"),
        "api:default/g-api": (-2, "component:default/g-orders"),
        "component:default/g-refunds": (-2, "component:default/g-orders"),
        "component:default/g-web": (-2, "component:default/g-orders"),
        "component:default/g-partner": (-3, "api:default/g-api"),
    }
    assert found["owners"][0] == {"owner": "group:default/g-team", "count": 3}
    assert (found["total"], found["is_cut"]) == (5, False)
    assert [item["ref"] for item in get(shop, "resource:default/g-db/impact", depth=1)["items"]] == [
        "component:default/g-orders"
    ]
    cut = get(shop, "resource:default/g-db/impact", limit=2)
    assert (cut["total"], cut["is_cut"]) == (2, True)


def test_group_owns_through_groups_below_though_they_lead_in_a_circle(shop: httpx.Client) -> None:
    found = get(shop, "group:default/g-top/ownership")
    assert found["direct"]["total"] == 0
    assert found["inherited"]["kinds"] == {"Component": 3, "API": 1, "Resource": 1}
    assert [(share["ref"], share["steps"], share["owned"]) for share in found["groups"]] == [
        ("group:default/g-top", 0, 0),
        ("group:default/g-team", 1, 4),
        ("group:default/g-front", 2, 1),
    ]
    assert found["circles"] == [["group:default/g-front", "group:default/g-team", "group:default/g-top"]]
    listed = shop.get("/api/v1/entities", params={"owner": "g-top", "inherited": True}).json()
    assert listed["total"] == 5
    answer = shop.get("/api/v1/entities/component/default/g-web/ownership")
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.entity_invalid")


def test_page_says_without_scripts_what_fails_with_what(shop: httpx.Client) -> None:
    path = "/catalog/component/default/g-orders/dependencies"
    text = page(shop, path)
    assert "If it fails, 4 entities are affected" in text
    assert "2 need one another" in text
    assert 'data-ref="component:default/g-web"' in text
    assert "needs g-orders" in text
    chosen = page(shop, f"{path}?selected=resource:default/g-db")
    assert "If it fails, 5 entities are affected" in chosen
    assert "through g-orders" in chosen
    fragment = shop.get(f"{path}?selected=api:default/g-api", headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith("<section")
    assert "Cut" in page(shop, f"{path}?limit=2")
    drawn = shop.get("/catalog/component/default/g-orders/dependencies.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "g-web" in drawn.text
