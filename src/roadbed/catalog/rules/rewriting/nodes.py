"""A YAML document as a tree that knows where each of its nodes stands in the text."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import yaml
from yaml.error import Mark

from roadbed.kit.yamls import resolve, write_key

_LOADER = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Shape(StrEnum):
    SCALAR = "scalar"
    MAPPING = "mapping"
    LIST = "list"
    ALIAS = "alias"


@dataclass(slots=True)
class Node:
    """A node, from the first of its characters to behind the last; comments and blank lines after it are not its own.

    `style` is the quote or sign of a scalar. Of a mapping, `keys` and `names` are as many as `values`.
    """

    shape: Shape
    start: int
    end: int
    column: int
    style: str = ""
    is_flow: bool = False
    keys: list["Node"] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    values: list["Node"] = field(default_factory=list)


def read_tree(text: str) -> Node:
    """Return the root of the one document in a text.

    The text was read before without a fault (`documents.read_documents`), so that depth and size are within limits.
    """
    parser = _LOADER(text)
    stack: list[Node] = []
    waiting: list[Node | None] = []
    root: Node | None = None
    try:
        while (event := cast("Any", parser).get_event()) is not None:
            if isinstance(event, yaml.CollectionEndEvent):
                node = _close(stack.pop(), event)
                waiting.pop()
            elif isinstance(event, yaml.CollectionStartEvent):
                shape = Shape.MAPPING if isinstance(event, yaml.MappingStartEvent) else Shape.LIST
                stack.append(_make(shape, event, is_flow=bool(event.flow_style)))
                waiting.append(None)
                continue
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                node = _leaf(text, event)
            else:
                continue
            if not stack:
                root = node
            else:
                _add(stack[-1], waiting, node, event)
    finally:
        parser.dispose()
    assert root is not None
    return root


def _add(parent: Node, waiting: list[Node | None], node: Node, event: yaml.Event) -> None:
    """Put a node into its container: as a key, as the value of the key before, or as an item."""
    key = waiting[-1]
    if parent.shape is Shape.MAPPING and key is None:
        waiting[-1] = node
        parent.keys.append(node)
        parent.names.append(_name(event))
        return
    parent.values.append(node)
    waiting[-1] = None


def _name(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        return ""
    is_plain = event.implicit[0] and event.tag is None
    return write_key(resolve(event.value)) if is_plain else str(event.value)


def _make(shape: Shape, event: yaml.Event, *, is_flow: bool = False) -> Node:
    start, end = cast("Mark", event.start_mark), cast("Mark", event.end_mark)
    return Node(shape, start.index, end.index, start.column, is_flow=is_flow)


def _leaf(text: str, event: yaml.Event) -> Node:
    if not isinstance(event, yaml.ScalarEvent):
        return _make(Shape.ALIAS, event)
    node = _make(Shape.SCALAR, event)
    node.style = event.style or ""
    if node.style in ("|", ">"):
        node.end = _end_of_block(text, node)
    return node


def _end_of_block(text: str, node: Node) -> int:
    """Return where a block of text ends: the parser counts the blank lines after it, too."""
    head_end = text.find("\n", node.start, node.end)
    if head_end == -1:
        return node.end
    if "+" in text[node.start : head_end]:
        return node.end - 1 if text[node.end - 1] == "\n" else node.end
    return max(len(text[: node.end].rstrip(" \r\n")), head_end)


def _close(node: Node, event: yaml.Event) -> Node:
    if node.is_flow:
        node.end = cast("Mark", event.end_mark).index
    else:
        node.end = max((inner.end for inner in (*node.keys[-1:], *node.values[-1:])), default=node.start)
    return node
