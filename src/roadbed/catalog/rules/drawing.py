"""Where the nodes of a graph stand, how its edges run, and the same as an SVG file by itself.

What depends on the first node stands left of it, what it depends on right, a column a step. A step with many nodes
takes several columns, so that the drawing stays about as high as it is wide.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, sqrt

from roadbed.catalog.rules.graph import Edge

WIDTH, HEIGHT = 164, 48
_COLUMN, _ROW, _MARGIN = 196, 64, 12
_FEWEST_ROWS = 10
_BEND = 36
_COLOURS = {"ok": "#0b6e3a", "warn": "#b14700", "bad": "#c01f2e", "run": "#1d5aa6", "off": "#5d646c", "none": "#5d646c"}
_SIGNS = {"ok": "✓", "warn": "▲", "bad": "✕", "run": "◌", "off": "?", "none": ""}
_INK, _EDGE, _CARD = "#16181b", "#858a91", "#ffffff"


@dataclass(frozen=True)
class Label:
    """What a node of the file says: its title, the word for its health with the kind of it, whether it is there."""

    title: str
    word: str
    state: str
    is_found: bool


@dataclass(frozen=True)
class Drawing:
    """The upper left corner of each node, and the path of each edge."""

    width: int
    height: int
    places: Mapping[str, tuple[int, int]]
    paths: Sequence[tuple[Edge, str]]


def draw(steps: Mapping[str, int], edges: Sequence[Edge]) -> Drawing:
    """Place nodes, given by their steps from the first one, and their edges."""
    layers: defaultdict[int, list[str]] = defaultdict(list)
    for ref, step in steps.items():
        layers[step].append(ref)
    rows = max(_FEWEST_ROWS, ceil(sqrt(len(steps)) * 1.4))
    ordered = _order(layers, edges)
    places: dict[str, tuple[int, int]] = {}
    height = min(rows, max(map(len, layers.values()))) * _ROW
    x = _MARGIN
    for step in sorted(ordered):
        refs = ordered[step]
        columns = ceil(len(refs) / rows)
        share = ceil(len(refs) / columns)
        for start in range(0, len(refs), share):
            column = refs[start : start + share]
            top = _MARGIN + (height - len(column) * _ROW) // 2
            places |= {ref: (x, top + number * _ROW) for number, ref in enumerate(column)}
            x += _COLUMN
    width = x - (_COLUMN - WIDTH) + _MARGIN + _BEND
    return Drawing(width, height + 2 * _MARGIN, places, [(edge, _path(places, edge)) for edge in edges])


def write_svg(drawing: Drawing, labels: Mapping[str, Label], *, title: str) -> str:
    """Return the drawing as a file that needs nothing beside it."""
    width, height = drawing.width, drawing.height
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        f'<path d="M0 0L8 4L0 8Z" fill="{_EDGE}"/></marker></defs>',
        f'<rect width="100%" height="100%" fill="{_CARD}"/>',
    ]
    for edge, path in drawing.paths:
        colour = _COLOURS["warn"] if edge.is_cyclic else _EDGE
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.25" marker-end="url(#a)"/>')
    parts += [_box(labels[ref], place) for ref, place in drawing.places.items()]
    return "\n".join([*parts, "</svg>\n"])


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _box(label: Label, place: tuple[int, int]) -> str:
    x, y = place
    colour = _COLOURS[label.state]
    word = f"{_SIGNS[label.state]} {label.word}".strip()
    stroke = colour if label.state in ("warn", "bad") else _EDGE
    dash = "" if label.is_found else ' stroke-dasharray="4 3"'
    return (
        f'<g transform="translate({x} {y})"><rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{_CARD}" '
        f'stroke="{stroke}"{dash}/><text x="12" y="20" font-size="12.5" font-weight="600" fill="{_INK}">'
        f"{escape(cut(label.title, 21))}</text>"
        f'<text x="12" y="37" font-size="11" fill="{colour}">{escape(word)}</text></g>'
    )


def _order(layers: Mapping[int, Sequence[str]], edges: Sequence[Edge]) -> dict[int, list[str]]:
    """Order each layer by where its neighbours of the layer before stand, from the first node outwards."""
    neighbours: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        neighbours[edge.source].append(edge.target)
        neighbours[edge.target].append(edge.source)
    rank: dict[str, float] = {}
    ordered: dict[int, list[str]] = {}
    for step in sorted(layers, key=abs):
        refs = sorted(layers[step], key=lambda ref: (_mean(rank[one] for one in neighbours[ref] if one in rank), ref))
        ordered[step] = refs
        rank |= {ref: number / len(refs) for number, ref in enumerate(refs)}
    return ordered


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.5


def _path(places: Mapping[str, tuple[int, int]], edge: Edge) -> str:
    (from_x, from_y), (to_x, to_y) = places[edge.source], places[edge.target]
    start_y, end_y = from_y + HEIGHT // 2, to_y + HEIGHT // 2
    if to_x > from_x:
        start, end = from_x + WIDTH, to_x
    elif to_x < from_x:
        start, end = from_x, to_x + WIDTH
    else:
        side = from_x + WIDTH
        out = side + _BEND
        return f"M{side} {start_y}C{out} {start_y} {out} {end_y + 8} {side} {end_y + 8}"
    middle = (start + end) // 2
    return f"M{start} {start_y}C{middle} {start_y} {middle} {end_y} {end} {end_y}"
