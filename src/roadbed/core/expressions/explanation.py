"""Which value each part of an expression had, and why the whole is what it is."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from roadbed.core.expressions.errors import position_of
from roadbed.core.expressions.evaluation import EVALUATION_ERRORS, describe, execute
from roadbed.core.expressions.syntax import Kind, Node

_SHOWN_ELEMENTS = 5
_SHOWN_CHARACTERS = 80


class PartStatus(StrEnum):
    """What became of a part."""

    EVALUATED = "evaluated"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression with the value it had.

    Args:
        source: its text.
        line: where it begins, from 1.
        column: where it begins, from 1.
        status: not evaluated, when what stands before it decided already.
        value: None unless evaluated.
        error: why it has no value, when it failed.
        parts: what it is made of; of a macro, the values it goes through and then an entry for each shown element.
        element: of such an entry, the variable and its value: `tag = "go"`.
        hidden_count: elements of a macro that are not shown.
    """

    source: str
    line: int
    column: int
    status: PartStatus
    value: Any = None
    error: str = ""
    parts: tuple["Part", ...] = ()
    element: str = ""
    hidden_count: int = 0

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        data: dict[str, Any] = {
            "source": self.source,
            "line": self.line,
            "column": self.column,
            "status": self.status.value,
        }
        if self.status is PartStatus.EVALUATED:
            data["value"] = to_json_value(self.value)
        optional = {"error": self.error, "element": self.element, "hidden_count": self.hidden_count}
        data |= {name: value for name, value in optional.items() if value}
        return data | ({"parts": [part.to_data() for part in self.parts]} if self.parts else {})

    def to_lines(self, indent: int = 0) -> list[str]:
        """Return it as indented lines for people."""
        outcome = {
            PartStatus.EVALUATED: show(self.value),
            PartStatus.FAILED: self.error,
            PartStatus.NOT_EVALUATED: "not evaluated",
        }[self.status]
        prefix = f"{self.element}: " if self.element else ""
        source = " ".join(self.source.split())
        lines = [f"{'  ' * indent}{prefix}{source} → {outcome}"]
        for part in self.parts:
            lines += part.to_lines(indent + 1)
        if self.hidden_count:
            lines.append(f"{'  ' * (indent + 1)}and {self.hidden_count} more")
        return lines


@dataclass(frozen=True, slots=True)
class Explanation:
    """The outcome of an expression and how it came about. With an `error` there is no value."""

    value: Any
    error: str
    root: Part

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"value": to_json_value(self.value), "error": self.error, "root": self.root.to_data()}

    def to_text(self) -> str:
        """Return it as indented lines for people."""
        return "\n".join(self.root.to_lines())

    def find_failure(self) -> Part:
        """Return the innermost part that failed."""
        part = self.root
        while inner := next((inner for inner in part.parts if inner.status is PartStatus.FAILED), None):
            part = inner
        return part


def to_json_value(value: Any) -> Any:
    """Return a value of an expression as JSON data: times as text, bytes in base64."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else json.dumps(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json_value(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def show(value: Any) -> str:
    """Return a value as short text."""
    text = json.dumps(to_json_value(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


@dataclass(frozen=True, slots=True)
class _Binding:
    """A macro's variable bound to one element, which is given as source so that the evaluator keeps its exact type."""

    variable: str
    element: str

    def wrap(self, source: str) -> str:
        """Return a source that evaluates `source` with the variable bound."""
        return f"[{self.element}].map({self.variable}, {source})[0]"


_Bindings = tuple[_Binding, ...]


class Explainer:
    """Walks an expression and has each of its parts evaluated.

    Args:
        source: of the whole expression.
        values: the inputs.
        maximum_parts: how many parts are evaluated before the rest is left out.
    """

    def __init__(self, source: str, values: Mapping[str, Any], *, maximum_parts: int) -> None:
        self._source = source
        self._values = values
        self._left = maximum_parts

    def explain(self, node: Node) -> Explanation:
        """Explain a whole expression."""
        root = self._explain(node, ())
        return Explanation(root.value, root.error, root)

    def _explain(self, node: Node, bindings: _Bindings, *, element: str = "") -> Part:
        self._left -= 1
        value, error = self._evaluate(self._text(node), bindings)
        parts, hidden_count = self._explain_below(node, bindings) if self._left > 0 else ([], 0)
        line, column = position_of(self._source, node.start)
        return Part(
            source=self._text(node),
            line=line,
            column=column,
            status=PartStatus.FAILED if error else PartStatus.EVALUATED,
            value=value,
            error=error,
            parts=tuple(parts),
            element=element,
            hidden_count=hidden_count,
        )

    def _explain_below(self, node: Node, bindings: _Bindings) -> tuple[list[Part], int]:
        if node.kind is Kind.MACRO:
            return self._explain_macro(node, bindings)
        if node.kind is Kind.CHOICE:
            return self._explain_choice(node, bindings), 0
        if node.kind is Kind.BINARY and node.name in {"&&", "||"}:
            return self._explain_logic(node, bindings), 0
        target = node.parts[0] if node.kind is Kind.HAS else node
        bound = {binding.variable for binding in bindings}  # shown with the element already
        parts = [part for part in _shown_parts(target) if part.kind is not Kind.NAME or part.name not in bound]
        return [self._explain(part, bindings) for part in parts], 0

    def _explain_logic(self, node: Node, bindings: _Bindings) -> list[Part]:
        left = self._explain(node.parts[0], bindings)
        is_decided = left.status is PartStatus.EVALUATED and left.value is (node.name == "||")
        right = self._skip(node.parts[1]) if is_decided else self._explain(node.parts[1], bindings)
        return [left, right]

    def _explain_choice(self, node: Node, bindings: _Bindings) -> list[Part]:
        condition = self._explain(node.parts[0], bindings)
        chosen = {True: 1, False: 2}[condition.value] if condition.status is PartStatus.EVALUATED else 0
        branches = [
            self._explain(node.parts[at], bindings) if at == chosen else self._skip(node.parts[at]) for at in (1, 2)
        ]
        return [condition, *branches]

    def _explain_macro(self, node: Node, bindings: _Bindings) -> tuple[list[Part], int]:
        """Explain the first elements, and the one that decided if it comes later."""
        through = self._explain(node.parts[0], bindings)
        if through.status is not PartStatus.EVALUATED:
            return [through], 0
        values = f"({self._text(node.parts[0])})"
        elements = _element_sources(through.value, values)
        parts = [through]
        for shown, source in enumerate(elements[:_SHOWN_ELEMENTS], 1):
            entries = self._explain_element(node, source, bindings)
            parts += entries
            if self._left <= 0 or entries[0].status is PartStatus.FAILED or _decides(node, entries[0].value):
                return parts, len(elements) - shown
        hidden_count = max(0, len(elements) - _SHOWN_ELEMENTS)
        if hidden_count and node.name in {"all", "exists"}:
            negation = "!" if node.name == "all" else ""
            deciding = f"{values}.filter({node.variable}, {negation}({self._text(node.parts[1])}))"
            found, _ = self._evaluate(deciding, bindings)
            if found:
                parts += self._explain_element(node, f"{deciding}[0]", bindings)
                hidden_count -= 1
        return parts, hidden_count

    def _explain_element(self, node: Node, source: str, bindings: _Bindings) -> list[Part]:
        value, _ = self._evaluate(source, bindings)
        element = f"{node.variable} = {show(value)}"
        inner = (*bindings, _Binding(node.variable, source))
        first = self._explain(node.parts[1], inner, element=element)
        if len(node.parts) == 2 or first.value is not True:
            return [first]
        return [first, self._explain(node.parts[2], inner, element=element)]

    def _skip(self, node: Node) -> Part:
        line, column = position_of(self._source, node.start)
        return Part(self._text(node), line, column, PartStatus.NOT_EVALUATED)

    def _evaluate(self, source: str, bindings: _Bindings) -> tuple[Any, str]:
        for binding in reversed(bindings):
            source = binding.wrap(source)
        try:
            return execute(source, self._values), ""
        except EVALUATION_ERRORS as error:
            return None, describe(error)

    def _text(self, node: Node) -> str:
        return self._source[node.start : node.end]


def _element_sources(values: Any, source: str) -> list[str]:
    """Return an expression for each element that a macro goes through: list items, or a map's keys in order."""
    if isinstance(values, Mapping):
        return [json.dumps(key, ensure_ascii=False) for key in sorted(values, key=str)]
    return [f"{source}[{at}]" for at in range(len(values))] if isinstance(values, list) else []


def _decides(node: Node, value: Any) -> bool:
    return (node.name == "all" and value is False) or (node.name == "exists" and value is True)


def _is_path(node: Node) -> bool:
    """True for `a`, `a.b`, `a["b"].c[0]`: one part, whose value says all."""
    while node.kind is Kind.SELECT or (node.kind is Kind.INDEX and node.parts[1].kind is Kind.LITERAL):
        node = node.parts[0]
    return node.kind is Kind.NAME


def _shown_parts(node: Node) -> list[Node]:
    """Return the operands that say more than the node itself: no literals, and not what a path begins with."""
    while node.kind is Kind.UNARY and node.parts[0].kind is Kind.UNARY:
        node = node.parts[0]  # the evaluator takes a row of signs together
    parts = node.parts
    if node.kind in {Kind.SELECT, Kind.INDEX} and _is_path(parts[0]):
        parts = parts[1:]
    return [part for part in parts if part.kind is not Kind.LITERAL]
