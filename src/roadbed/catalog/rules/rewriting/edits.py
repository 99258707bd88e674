"""The smallest changes of a text that give a document the wanted content."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.rewriting.nodes import Node, Shape
from roadbed.catalog.rules.rewriting.rendering import render_entry, render_item, render_quoted, render_value
from roadbed.kit.jsons import canonical_json

_COLON = re.compile(r"[ \t]*:")
_BLOCK_SIGNS = ("|", ">")


class Unchangeable(Exception):
    """A small change is not possible here; what is around it is written anew."""


@dataclass(frozen=True)
class _Slot:
    """Where a value stands: behind its key, or as an item of a list when there is none."""

    node: Node
    key: Node | None = None


def is_same(before: Any, after: Any) -> bool:
    """Tell whether two values of JSON are the same; 1 is not true."""
    return before is after or canonical_json(before) == canonical_json(after)


class Editor:
    """Collects changes of one document and makes them all at once."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._root = root
        self._edits: list[tuple[int, int, str]] = []

    def change(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        """Return the text with its document changed.

        Raises:
            Unchangeable: there is no small change that does it.
        """
        if self._root.shape is not Shape.MAPPING or self._root.is_flow:
            raise Unchangeable
        self._change_mapping(self._root, before, after)
        text = self._text
        ordered = sorted(enumerate(self._edits), key=lambda one: (one[1][0], one[1][1], one[0]))
        for _, (start, end, new) in reversed(ordered):
            text = text[:start] + new + text[end:]
        return text

    def _change(self, slot: _Slot, before: Any, after: Any) -> None:
        if is_same(before, after):
            return
        count = len(self._edits)
        node = slot.node
        try:
            if node.is_flow or node.shape not in (Shape.MAPPING, Shape.LIST):
                self._replace(slot, after)
            elif isinstance(before, dict) and isinstance(after, dict):
                self._change_mapping(node, before, after)
            elif isinstance(before, list) and isinstance(after, list):
                self._change_list(node, before, after)
            else:
                self._replace(slot, after)
        except Unchangeable:
            del self._edits[count:]
            self._replace(slot, after)

    def _change_mapping(self, node: Node, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if sorted(node.names) != sorted(before) or before.keys().isdisjoint(after):
            raise Unchangeable
        last = None
        for key, name, value in zip(node.keys, node.names, node.values, strict=True):
            if name in after:
                self._change(_Slot(value, key), before[name], after[name])
                last = value
            else:
                self._delete_lines(key.start, max(key.end, value.end))
        assert last is not None
        added = [render_entry(name, value, column=node.column) for name, value in after.items() if name not in before]
        if added:
            self._insert_after(last.end, "\n".join(added))

    def _change_list(self, node: Node, before: Sequence[Any], after: Sequence[Any]) -> None:
        if len(node.values) != len(before) or not before or not after:
            raise Unchangeable
        begin = _count_same(before, after)
        limit = min(len(before), len(after)) - begin
        end = min(_count_same(before[::-1], after[::-1]), limit)
        old, new = before[begin : len(before) - end], after[begin : len(after) - end]
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            self._change(_Slot(node.values[begin + number]), one, other)
        for value in node.values[begin + len(new) : begin + len(old)]:
            self._delete_lines(self._find_dash(value), value.end)
        if len(new) > len(old):
            self._insert_items(node, begin + len(old), new[len(old) :])

    def _insert_items(self, node: Node, position: int, values: Sequence[Any]) -> None:
        column = self._column_of(self._find_dash(node.values[0]))
        lines = "\n".join(render_item(value, column=column) for value in values)
        if position:
            self._insert_after(node.values[position - 1].end, lines)
        else:
            start = self._line_start(self._find_dash(node.values[0]))
            self._edits.append((start, start, lines + "\n"))

    def _replace(self, slot: _Slot, after: Any) -> None:
        if slot.key is None:
            self._replace_item(slot.node, after)
            return
        node, key = slot.node, slot.key
        colon = _COLON.match(self._text, key.end)
        if colon is None:
            raise Unchangeable
        inline, below = self._render(node, after, column=key.column)
        behind, line_end = colon.end(), self._line_end(colon.end())
        if node.start <= line_end:
            space = self._text[behind : node.start] or " "
            self._edits.append((behind, node.end, space + inline if inline else ""))
            if below:
                end = self._line_end(node.end)
                self._edits.append((end, end, "\n" + below))
            return
        if inline:
            self._edits.append((behind, behind, f" {inline}"))
        self._edits.append((line_end, self._line_end(node.end), "\n" + below if below else ""))

    def _replace_item(self, node: Node, after: Any) -> None:
        dash = self._find_dash(node)
        column = self._column_of(dash)
        if self._text.find("\n", dash, node.start) != -1:
            raise Unchangeable
        first, _, below = render_item(after, column=0).partition("\n")
        self._edits.append((dash, node.end, first))
        if below:
            end = self._line_end(node.end)
            lines = "\n".join(" " * column + line if line else line for line in below.split("\n"))
            self._edits.append((end, end, "\n" + lines))

    def _render(self, node: Node, after: Any, *, column: int) -> tuple[str, str]:
        """Return what stands behind the key, and the lines below; in the style that the value had, if that fits."""
        if isinstance(after, str) and (quoted := render_quoted(after, node.style)) is not None:
            return quoted, ""
        is_empty = after in ([], {}) and isinstance(after, list | dict)
        is_collection = isinstance(after, list | dict)
        return render_value(after, column=column, is_flow=is_empty or (node.is_flow and is_collection))

    def _find_dash(self, item: Node) -> int:
        """Return where the dash of an item stands, which is the first thing on its line."""
        dash = self._text.rfind("-", 0, item.start)
        if dash == -1 or self._text[dash + 1 : item.start].strip() or self._text[self._line_start(dash) : dash].strip():
            raise Unchangeable
        return dash

    def _delete_lines(self, start: int, end: int) -> None:
        """Remove whole lines; what stands before on the first one must not go with them."""
        begin = self._line_start(start)
        if self._text[begin:start].strip():
            raise Unchangeable
        self._edits.append((begin, min(self._line_end(end) + 1, len(self._text)), ""))

    def _insert_after(self, position: int, lines: str) -> None:
        end = self._line_end(position)
        self._edits.append((end, end, "\n" + lines))

    def _line_start(self, position: int) -> int:
        return self._text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        found = self._text.find("\n", position)
        return len(self._text) if found == -1 else found

    def _column_of(self, position: int) -> int:
        return position - self._line_start(position)


def _count_same(before: Sequence[Any], after: Sequence[Any]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if not is_same(one, other):
            break
        count += 1
    return count
