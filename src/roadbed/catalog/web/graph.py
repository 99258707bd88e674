"""Page: what hangs together with an entity, as a drawing and a table, and what is affected if one of it fails."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.access import EntityReader
from roadbed.catalog.rules.drawing import Drawing, Label, cut, draw, write_svg
from roadbed.catalog.rules.graph import Direction, Edge, Walk
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import HEALTH_STATES, icon_of, kind_word, word_of
from roadbed.catalog.service import entities
from roadbed.catalog.service.graph import EntityGraph, Node, find_graph, find_impact
from roadbed.catalog.service.health import find_health
from roadbed.catalog.types import CHECKABLE_KINDS, Health, entity_href
from roadbed.catalog.web.entity import KindsInForce, RefOfPath
from roadbed.catalog.web.frame import frame_entity
from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref

router = APIRouter()

LIMITS = (150, 500)
_DEPTHS = (1, 2, 3, 5, 10)
_DIRECTIONS = {
    Direction.BOTH: "both ways",
    Direction.DEPENDENCIES: "what it needs",
    Direction.DEPENDENTS: "what needs it",
}
_AFFECTED_SHOWN = 60
_OFF = HEALTH_STATES[Health.UNKNOWN]
_NO_FILE_RUNS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


class GraphQuery(BaseModel):
    """What of the graph is shown, and which node is looked at."""

    model_config = ConfigDict(extra="forbid")

    depth: int = Field(2, ge=1, le=10)
    direction: Direction = Direction.BOTH
    kind: list[str] = Field(default_factory=list)
    limit: int = Field(LIMITS[0], ge=1, le=LIMITS[-1])
    selected: str | None = None

    def to_walk(self) -> Walk:
        kinds = frozenset(kind.lower() for kind in self.kind)
        return Walk(direction=self.direction, depth=self.depth, limit=self.limit, kinds=kinds)

    def write(self, **changes: Any) -> str:
        """Return the address of the page with other values."""
        given = self.model_dump(exclude_defaults=True) | changes
        return "?" + urlencode({key: value for key, value in given.items() if value is not None}, doseq=True)


@dataclass(frozen=True)
class Shown:
    """A node as the page shows it."""

    node: Node
    label: str
    icon: str
    word: str
    health: tuple[str, str]
    href: str
    owner_href: str | None
    select: str
    place: tuple[int, int]
    fails_in: int | None


@router.get("/catalog/{kind}/{namespace}/{name}/dependencies")
async def dependencies_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    ref: RefOfPath,
    query: Annotated[GraphQuery, Query()],
) -> HTMLResponse:
    """Show the graph around an entity, and beside it what is affected if the chosen one fails."""
    entity = await entities.get_entity(session, ref)
    graph = await find_graph(session, ref, query.to_walk())
    drawing = _draw(graph)
    chosen = _choose(graph, query.selected)
    fails = _list_failing(graph, str(chosen.ref))
    shown = {str(node.ref): _show(node, kinds, query, drawing, fails) for node in graph.nodes}
    impact = await find_impact(session, chosen.ref) if chosen.is_found else None
    context = await frame_entity(request, session, entity, kinds, actor, "dependencies") | {
        "query": query,
        "graph": graph,
        "drawing": drawing,
        "nodes": list(shown.values()),
        "titles": {one: node.node.title for one, node in shown.items()},
        "chosen": shown[str(chosen.ref)],
        "edges": [(edge, path, _is_hit(edge, fails, str(chosen.ref))) for edge, path in drawing.paths],
        "chosen_health": (await find_health(session, chosen.ref)).summary if chosen.is_found else None,
        "affected": _by_owner(impact, kinds) if impact else [],
        "affected_count": len(impact.nodes) - 1 if impact else 0,
        "affected_cut": bool(impact and impact.is_cut),
        "choices": _choices(graph, query, kinds),
        "svg": f"{entity.href}/dependencies.svg{query.write(selected=None)}",
        "wider": query.write(limit=LIMITS[-1]) if graph.is_cut and query.limit < LIMITS[-1] else None,
    }
    return await render(request, "catalog/dependencies.html", context, fragment="chosen")


@router.get("/catalog/{kind}/{namespace}/{name}/dependencies.svg")
async def dependencies_file(
    session: Reading, _: EntityReader, ref: RefOfPath, query: Annotated[GraphQuery, Query()]
) -> Response:
    """Give the drawing as a file."""
    graph = await find_graph(session, ref, query.to_walk())
    labels = {
        str(node.ref): Label(node.title, state[1], state[0], node.is_found)
        for node in graph.nodes
        for state in (_health(node),)
    }
    title = f"Dependencies of {graph.nodes[0].title}" + (", cut" if graph.is_cut else "")
    headers = _NO_FILE_RUNS | {"Content-Disposition": f'attachment; filename="{ref.name}-dependencies.svg"'}
    return Response(write_svg(_draw(graph), labels, title=title), media_type="image/svg+xml", headers=headers)


def _draw(graph: EntityGraph) -> Drawing:
    return draw({str(node.ref): node.steps for node in graph.nodes}, graph.edges)


def _choose(graph: EntityGraph, selected: str | None) -> Node:
    """Return the node that was asked for, or the first one."""
    try:
        wanted = str(parse_ref(selected)) if selected else None
    except InvalidRef:
        wanted = None
    return next((node for node in graph.nodes if str(node.ref) == wanted), graph.nodes[0])


def _list_failing(graph: EntityGraph, ref: str) -> dict[str, int]:
    """Return what in the drawing fails with a node, with the steps to it."""
    needing: defaultdict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        needing[edge.target].append(edge.source)
    steps, waiting = {ref: 0}, [ref]
    for one in waiting:
        for source in needing[one]:
            if source not in steps:
                steps[source] = steps[one] + 1
                waiting.append(source)
    del steps[ref]
    return steps


def _is_hit(edge: Edge, fails: Mapping[str, int], ref: str) -> bool:
    return edge.source in fails and (edge.target == ref or edge.target in fails)


def _health(node: Node) -> tuple[str, str]:
    if not node.is_found:
        return ("off", "Not found")
    if node.health is None:
        return _OFF if node.ref.kind in CHECKABLE_KINDS else ("none", node.ref.kind)
    return word_of(node.health)


def _show(node: Node, kinds: Kinds, query: GraphQuery, drawing: Drawing, fails: Mapping[str, int]) -> Shown:
    ref = str(node.ref)
    return Shown(
        node=node,
        label=cut(node.title, 17),
        icon=icon_of(node, kinds),
        word=kind_word(node),
        health=_health(node),
        href=entity_href(node.ref),
        owner_href=entity_href(node.owner) if node.owner else None,
        select=query.write(selected=ref),
        place=drawing.places[ref],
        fails_in=fails.get(ref),
    )


def _by_owner(impact: EntityGraph, kinds: Kinds) -> list[dict[str, Any]]:
    """Return what is affected by owner, those with the most first, each with how it is."""
    titles = {node.ref: node.title for node in impact.nodes}
    groups: dict[EntityRef | None, list[Node]] = {}
    for node in impact.nodes[1:]:
        groups.setdefault(node.owner, []).append(node)
    left = _AFFECTED_SHOWN
    found = []
    for owner, nodes in sorted(groups.items(), key=lambda pair: (-len(pair[1]), str(pair[0]))):
        found.append(
            {
                "title": (nodes[0].owner_title or owner.shorten(default_kind="Group")) if owner else None,
                "href": entity_href(owner) if owner else None,
                "count": len(nodes),
                "items": [
                    {
                        "title": node.title,
                        "href": entity_href(node.ref) if node.is_found else None,
                        "icon": icon_of(node, kinds),
                        "health": _health(node),
                        "way": "directly" if node.steps == -1 else f"through {titles[node.via]}",
                    }
                    for node in nodes[: max(left, 0)]
                    if node.via is not None
                ],
            }
        )
        left -= len(nodes)
    return found


def _choices(graph: EntityGraph, query: GraphQuery, kinds: Kinds) -> Mapping[str, Sequence[Any]]:
    """Return what the form over the drawing offers."""
    wanted = {kind.lower() for kind in query.kind}
    here = {node.ref.kind.lower() for node in graph.nodes} | wanted
    return {
        "depths": _DEPTHS if query.depth in _DEPTHS else sorted({*_DEPTHS, query.depth}),
        "directions": list(_DIRECTIONS.items()),
        "kinds": [
            (definition.name, definition.plural, not wanted or definition.name.lower() in wanted)
            for definition in kinds
            if definition.name.lower() in here
        ],
    }
