"""REST: what hangs together with an entity, what is affected if it fails, and what a group owns."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.access import EntityReader
from roadbed.catalog.rules.graph import DEPENDENCIES, Direction, Walk
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.service.graph import MOST_NODES, EntityGraph, Node, count_owners, find_graph, find_impact
from roadbed.catalog.service.kinds import get_kind, require_kinds
from roadbed.catalog.service.ownership import Counts, find_ownership
from roadbed.core.db import Reading
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter(tags=["catalog"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
KindsInForce = Annotated[Kinds, Depends(service(Kinds))]


class GraphQuery(BaseModel):
    """How far to walk, and along what."""

    model_config = ConfigDict(extra="forbid")

    depth: int = Field(2, ge=1, le=50, description="Most steps.")
    direction: Direction = Direction.BOTH
    relations: list[str] = Field(
        default_factory=list,
        description="Types of relations as they point from an entity to what it needs; "
        f"with commas between or given several times. Unset: {', '.join(DEPENDENCIES)}.",
        examples=["dependsOn,partOf"],
    )
    kinds: list[str] = Field(default_factory=list, description="Kinds to walk through; unset: all.")
    limit: int = Field(200, ge=1, le=MOST_NODES, description="Most nodes; `is_cut` says that there are more.")

    def to_walk(self, kinds: Kinds) -> Walk:
        named = _split(self.kinds)
        require_kinds(kinds, named)
        return Walk(
            direction=self.direction,
            relations=tuple(_split(self.relations)) or DEPENDENCIES,
            depth=self.depth,
            limit=self.limit,
            kinds=frozenset(get_kind(kinds, name).name.lower() for name in named),
        )


class ImpactQuery(BaseModel):
    """How far to look."""

    model_config = ConfigDict(extra="forbid")

    depth: int | None = Field(None, ge=1, le=1000, description="Most steps; unset: to the end.")
    limit: int = Field(MOST_NODES, ge=1, le=MOST_NODES, description="Most entities; `is_cut` says that there are more.")


class NodeOut(BaseModel):
    """An entity of a graph. `steps` are negative for what depends on the first one; `via` is the one before."""

    ref: str
    title: str
    kind: str
    type: str | None
    owner: str | None
    health: str | None
    steps: int
    via: str | None
    found: bool
    is_cyclic: bool

    @classmethod
    def of(cls, node: Node) -> "NodeOut":
        return cls(
            ref=str(node.ref),
            title=node.title,
            kind=node.ref.kind,
            type=node.type,
            owner=str(node.owner) if node.owner else None,
            health=node.health,
            steps=node.steps,
            via=str(node.via) if node.via else None,
            found=node.is_found,
            is_cyclic=node.is_cyclic,
        )


class EdgeOut(BaseModel):
    """A relation from what needs to what is needed. `is_cyclic`: it is part of a circle."""

    source: str
    type: str
    target: str
    is_cyclic: bool


class GraphOut(BaseModel):
    """Nodes, nearest first, and all edges among them. Each of `cycles` are entities that all need one another."""

    nodes: list[NodeOut]
    edges: list[EdgeOut]
    cycles: list[list[str]]
    is_cut: bool


class OwnerOut(BaseModel):
    """An owner, and how many of its entities are affected; null: those without an owner."""

    owner: str | None
    count: int


class ImpactOut(BaseModel):
    """What depends on an entity, nearest first, and whose it is."""

    items: list[NodeOut]
    owners: list[OwnerOut]
    total: int
    is_cut: bool


class CountsOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    total: int
    kinds: dict[str, int]
    health: dict[str, int]

    @classmethod
    def of(cls, counts: Counts) -> "CountsOut":
        return cls.model_validate(counts)


class GroupShareOut(BaseModel):
    """A group at or below the one asked about: how far below it, and what it owns itself."""

    ref: str
    title: str
    steps: int
    owned: int
    members: list[str]
    found: bool


class OwnershipOut(BaseModel):
    """What a group or person owns. `circles`: groups that are, through their parents, above themselves."""

    direct: CountsOut
    inherited: CountsOut
    groups: list[GroupShareOut]
    circles: list[list[str]]
    is_cut: bool


@router.get("/entities/{kind}/{namespace}/{name}/graph")
async def get_graph(
    session: Reading, _: EntityReader, kinds: KindsInForce, ref: RefOfPath, query: Annotated[GraphQuery, Query()]
) -> GraphOut:
    """Walk from an entity along its relations: what it needs, what needs it, and where that goes in a circle."""
    require_kinds(kinds, [ref.kind])
    return _show(await find_graph(session, ref, query.to_walk(kinds)))


@router.get("/entities/{kind}/{namespace}/{name}/impact")
async def get_impact(
    session: Reading, _: EntityReader, kinds: KindsInForce, ref: RefOfPath, query: Annotated[ImpactQuery, Query()]
) -> ImpactOut:
    """List what is affected if an entity fails: what depends on it, directly or through others, with its owners."""
    require_kinds(kinds, [ref.kind])
    found = await find_impact(session, ref, depth=query.depth, limit=query.limit + 1)
    nodes = found.nodes[1:]
    return ImpactOut(
        items=[NodeOut.of(node) for node in nodes],
        owners=[OwnerOut(owner=str(owner) if owner else None, count=n) for owner, n in count_owners(nodes).items()],
        total=len(nodes),
        is_cut=found.is_cut,
    )


@router.get("/entities/{kind}/{namespace}/{name}/ownership")
async def get_ownership(session: Reading, _: EntityReader, kinds: KindsInForce, ref: RefOfPath) -> OwnershipOut:
    """Count what a group or person owns directly, and through the groups below."""
    require_kinds(kinds, [ref.kind])
    found = await find_ownership(session, ref)
    return OwnershipOut(
        direct=CountsOut.of(found.direct),
        inherited=CountsOut.of(found.inherited),
        groups=[
            GroupShareOut(
                ref=str(share.ref),
                title=share.title,
                steps=share.steps,
                owned=share.owned,
                members=list(share.members),
                found=share.is_found,
            )
            for share in found.groups
        ],
        circles=[list(circle) for circle in found.circles],
        is_cut=found.is_cut,
    )


def _show(graph: EntityGraph) -> GraphOut:
    return GraphOut(
        nodes=[NodeOut.of(node) for node in graph.nodes],
        edges=[
            EdgeOut(source=edge.source, type=edge.type, target=edge.target, is_cyclic=edge.is_cyclic)
            for edge in graph.edges
        ],
        cycles=[list(cycle) for cycle in graph.cycles],
        is_cut=graph.is_cut,
    )


def _split(texts: list[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
