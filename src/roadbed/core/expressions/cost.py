"""Bounding how long an expression can take, before it runs: the evaluator holds Python's global lock.

The unit is about 100 ns. Bounds are taken from the syntax and from the sizes of the values at hand. Of the evaluator
this is known by measurement: selecting a member copies it, and `map` and `filter` copy the result so far at each
element, so that they are quadratic in the number and linear in the size of what they collect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roadbed.core.expressions.errors import ExpressionFailed
from roadbed.core.expressions.syntax import Kind, Node

MAXIMUM_ITEMS = 1_000
MAXIMUM_COST = 5_000_000

_MAXIMUM_INPUT_DEPTH = 64
_TEXT_UNIT = 512  # characters that are copied in the time of one value
_OPERATION = 0.2
_ROUND = 2.0
_COLLECT = 1.3
_APPEND = 0.4
_COMPARE = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds of a value: the length of the longest list or map in it, and the number of values in it."""

    longest: float = 1.0
    weight: float = 1.0


def is_linear(node: Node) -> bool:
    """True when the time is bounded by the source and the size of the inputs alone."""
    return not any(part.kind is Kind.MACRO or (part.kind is Kind.BINARY and part.name == "+") for part in node.walk())


def measure(value: Any, *, depth: int = 0) -> Size:
    """Return the size of an input.

    Raises:
        ExpressionFailed: a list or map in it has too many items, or it is nested too deeply.
    """
    if isinstance(value, (str, bytes)):
        return Size(1.0, 1.0 + len(value) / _TEXT_UNIT)
    if not isinstance(value, (Mapping, list, tuple)):
        return Size()
    if len(value) > MAXIMUM_ITEMS:
        raise ExpressionFailed(
            f"A list or map of {len(value):,} items is too long for an expression; {MAXIMUM_ITEMS:,} are allowed.",
            hint="Give the expression a part of it, or a count.",
        )
    if depth > _MAXIMUM_INPUT_DEPTH:
        raise ExpressionFailed(f"A value is nested more than {_MAXIMUM_INPUT_DEPTH} deep.")
    is_map = isinstance(value, Mapping)
    longest, weight = float(len(value)), 1.0 + (len(value) if is_map else 0)
    for item in value.values() if isinstance(value, Mapping) else value:
        size = measure(item, depth=depth + 1)
        longest, weight = max(longest, size.longest), weight + size.weight
    return Size(longest, weight)


def estimate(node: Node, sizes: Mapping[str, Size]) -> float:
    """Return an upper bound of the cost of an expression with inputs of these sizes."""
    return _estimate(node, sizes)[0]


def _estimate(node: Node, sizes: Mapping[str, Size]) -> tuple[float, Size]:
    if node.kind is Kind.NAME:
        return _OPERATION, sizes.get(node.name, Size())
    if node.kind is Kind.LITERAL:
        return _OPERATION, Size(1.0, 1.0 + len(node.name) / _TEXT_UNIT)
    if node.kind is Kind.MACRO:
        return _estimate_macro(node, sizes)
    estimates = [_estimate(part, sizes) for part in node.parts]
    cost = _OPERATION + sum(cost for cost, _ in estimates)
    parts = [size for _, size in estimates]
    longest = max((size.longest for size in parts), default=0.0)
    weight = sum(size.weight for size in parts)
    if node.kind in {Kind.LIST, Kind.MAP}:
        return cost + weight, Size(max(float(len(parts)), longest), weight + 1)
    if node.kind in {Kind.SELECT, Kind.INDEX, Kind.HAS}:
        return cost + parts[0].weight, parts[0]
    if node.kind is Kind.BINARY and node.name == "+":
        return cost + weight * _APPEND, Size(sum(size.longest for size in parts), weight)
    # A choice is as large as a branch; what functions and operators make is no larger than what they are given.
    return cost + weight * _COMPARE, Size(longest if node.kind is Kind.CHOICE else 1.0, weight)


def _estimate_macro(node: Node, sizes: Mapping[str, Size]) -> tuple[float, Size]:
    values, *bodies = node.parts
    cost, through = _estimate(values, sizes)
    count = max(1.0, min(through.longest, through.weight))
    # Summed over the elements their weights make the weight of the whole, so the mean serves as a bound.
    mean = through.weight / count
    inner = {**sizes, node.variable: Size(min(through.longest, mean), mean)}
    estimates = [_estimate(body, inner) for body in bodies]
    cost += count * (_ROUND + sum(cost for cost, _ in estimates))
    if node.name not in {"map", "filter"}:
        return cost, Size()
    result = estimates[-1][1].weight * count if node.name == "map" else through.weight
    longest = max(count, estimates[-1][1].longest) if node.name == "map" else through.longest
    return cost + _COLLECT * result * count / 2, Size(longest, result + 1)
