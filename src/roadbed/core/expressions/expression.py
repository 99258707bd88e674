"""A compiled expression."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roadbed.core.expressions.checking import check
from roadbed.core.expressions.cost import MAXIMUM_COST, estimate, is_linear, measure
from roadbed.core.expressions.errors import ExpressionFailed, failed, invalid
from roadbed.core.expressions.evaluation import EVALUATION_ERRORS, describe, program_of
from roadbed.core.expressions.explanation import Explainer, Explanation
from roadbed.core.expressions.syntax import Kind, Node, parse
from roadbed.core.expressions.types import ANY, Type

_MAXIMUM_PARTS = 200
_EXPLANATION_COST = 5 * MAXIMUM_COST

_Inputs = tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read, checked and compiled; made by `compile` and safe to share.

    Args:
        source: its text.
        inputs: the names it may use, with their types.
        result: the type of its value, `ANY` where that depends on the values.
    """

    source: str
    inputs: Mapping[str, Type]
    result: Type
    _node: Node
    _is_linear: bool

    @staticmethod
    def compile(source: str, *, inputs: Mapping[str, Type], result: Type = ANY) -> "Expression":
        """Read, check and compile an expression; the last thousand are kept.

        Args:
            source: CEL.
            inputs: the names it may use.
            result: what its value must be.

        Raises:
            ExpressionInvalid: with the place, a message and often a hint.
        """
        return _compile(source, tuple(sorted(inputs.items())), result)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return its value.

        Args:
            values: one for each input, of its type or None.

        Raises:
            ExpressionFailed: it has no value for these inputs, or they are too large.
        """
        self._admit(values)
        try:
            return program_of(self.source).execute(dict(values))
        except EVALUATION_ERRORS as error:
            part = self._explain(values, maximum_parts=_MAXIMUM_PARTS).find_failure()
            offset = sum(len(line) + 1 for line in self.source.split("\n")[: part.line - 1])
            message = part.error or describe(error)
            raise failed(message, source=self.source, offset=offset + part.column - 1) from error

    def selected_from(self, name: str) -> frozenset[str]:
        """Return the fields of an input that it names: `related.owns` names `owns`."""
        return frozenset(
            part.name
            for part in self._node.walk()
            if part.kind is Kind.SELECT and part.parts[0].kind is Kind.NAME and part.parts[0].name == name
        )

    def explain(self, values: Mapping[str, Any]) -> Explanation:
        """Return its value, or why it has none, with the value of each part.

        Raises:
            ExpressionFailed: the inputs are not of their types, or too large.
        """
        cost = self._admit(values)
        return self._explain(values, maximum_parts=max(20, min(_MAXIMUM_PARTS, int(_EXPLANATION_COST / cost))))

    def _explain(self, values: Mapping[str, Any], *, maximum_parts: int) -> Explanation:
        return Explainer(self.source, values, maximum_parts=maximum_parts).explain(self._node)

    def _admit(self, values: Mapping[str, Any]) -> float:
        """Check the values and return the bound of the cost."""
        if values.keys() != self.inputs.keys():
            raise ExpressionFailed(_difference(self.inputs.keys() - values.keys(), values.keys() - self.inputs.keys()))
        for name, value in values.items():
            if not self.inputs[name].accepts(value):
                raise ExpressionFailed(f'The input "{name}" is {type(value).__name__}, not {self.inputs[name]}.')
        if self._is_linear:
            return 1.0
        cost = estimate(self._node, {name: measure(value) for name, value in values.items()})
        if cost > MAXIMUM_COST:
            raise ExpressionFailed(
                "The expression would take too long with values of this size.",
                hint="Filter before you combine: map() and filter() within each other grow with the square of a list.",
            )
        return cost


def _difference(missing: set[str], unknown: set[str]) -> str:
    if missing:
        return f"Values are missing for the inputs: {', '.join(sorted(missing))}."
    return f"These are no inputs of the expression: {', '.join(sorted(unknown))}."


@functools.lru_cache(maxsize=1_000)
def _compile(source: str, inputs: _Inputs, result: Type) -> Expression:
    if not source.strip():
        raise invalid("The expression is empty.", source=source, offset=0)
    node = parse(source)
    found = check(node, source=source, inputs=dict(inputs), result=result)
    program_of(source)
    return Expression(source, dict(inputs), found, node, is_linear(node))
