"""The sandboxed Jinja environment, and what makes it read templates written for Nunjucks.

Templates see JSON values only. Members of values are keys, or methods from the table in `javascript`; nothing of a
Python object can be reached. Loops, calls, filters and operators that make text count against a budget.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MethodType
from typing import Any, NoReturn, cast

from jinja2 import nodes
from jinja2.exceptions import TemplateRuntimeError, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import ChainableUndefined, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace, missing, pass_context
from jinja2.visitor import NodeTransformer

from roadbed.core.templating.filters import Filter, make_filters
from roadbed.core.templating.javascript import Method, find_member, is_nothing, to_text
from roadbed.core.templating.limits import LimitReached, current_budget

VARIABLE_START, VARIABLE_END = "${{", "}}"
_LARGEST_INTEGER_BITS = 256
_LARGEST_EXPONENT = 256
_PLAIN = (str, list, tuple, dict, int, float, bool, type(None))
_VERBATIM = re.compile(r"\{%(-?)\s*(end)?verbatim\s*(-?)%\}")


class MissingValue(ChainableUndefined):
    """A value that is not there.

    A missing member prints as nothing, as in Nunjucks, because parameters are often optional. A name that no context
    has (`paramters`) is a slip of the author and an error, unless it is only tested.
    """

    __slots__ = ()

    @property
    def _is_unknown_name(self) -> bool:
        return self._undefined_obj is missing

    def __getattr__(self, name: str) -> "MissingValue":
        if name[:2] == "__" or self._is_unknown_name:
            self._refuse()
        return self

    def __getitem__(self, name: str) -> "MissingValue":  # type: ignore[override]  # Jinja's says NoReturn
        return self.__getattr__(str(name))

    def __str__(self) -> str:
        if self._is_unknown_name:
            self._refuse()
        return ""

    def __iter__(self) -> Iterator[Any]:
        if self._is_unknown_name:
            self._refuse()
        yield from ()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Undefined)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Undefined.__hash__

    def _refuse(self) -> NoReturn:
        raise UndefinedError(f'There is no "{self._undefined_name}" here.')


class StrictMissingValue(MissingValue):
    """As `MissingValue`, but a missing member is an error too."""

    __slots__ = ()

    @property
    def _is_unknown_name(self) -> bool:
        return True


class NunjucksSyntax(Extension):
    """Reads what Nunjucks writes differently: `===`, `!==`, `null`, `elseif`, `verbatim`."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Write `verbatim` blocks as Jinja's `raw`."""
        return _VERBATIM.sub(r"{%\1 \2raw \3%}", source)

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Rewrite tokens as they come."""
        previous = ""
        for token in stream:
            if previous in {"eq", "ne"} and token.type == "assign":
                continue  # the third character of === and !==
            if token.type == "name" and token.value == "null":
                token = Token(token.lineno, "name", "none")  # noqa: PLW2901 - the next line needs the same name
            if token.type == "name" and token.value == "elseif" and previous == "block_begin":
                token = Token(token.lineno, "name", "elif")  # noqa: PLW2901
            previous = token.type
            yield token


class _Hardener(NodeTransformer):
    """Puts the budget into loops and concatenations, and refuses what needs other files."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - the name is Jinja's
        self.generic_visit(node)
        name = "_pairs" if isinstance(node.target, nodes.Tuple) else "_rounds"
        node.iter = nodes.Filter(node.iter, name, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        values = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(values, "join", [], [], None, None, lineno=node.lineno)

    def visit_Pair(self, node: nodes.Pair) -> nodes.Pair:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.key, nodes.Name):  # {defaultKind: "group"}, as JavaScript writes it
            node.key = nodes.Const(node.key.name, lineno=node.lineno)
        return node


class _Rounds:
    """A loop's values, each counted as it is taken."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            current_budget().take_step()
            yield value


def _rounds(values: Any) -> _Rounds:
    return _Rounds([] if values is None else list(values))


def _pairs(values: Any) -> _Rounds:
    return _rounds(values.items() if isinstance(values, Mapping) else values)


def _range(*numbers: int) -> range:
    numbers_given = range(*numbers)
    if len(numbers_given) > current_budget().limits.range_length:
        raise LimitReached(f"A range gives at most {current_budget().limits.range_length:,} numbers.")
    return numbers_given


@pass_context
def _finalize(_: Context, value: Any) -> str:
    """Turn what `${{ }}` prints into text. It takes the context so that Jinja prints nothing while it compiles."""
    return to_text(value)


def _bounded_concat(pieces: Iterable[str]) -> str:
    budget = current_budget()
    made: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > budget.limits.output_characters:
            budget.take_characters(size)  # which refuses it
        made.append(piece)
    budget.take_characters(size)
    return "".join(made)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja as golden paths use it."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(_bounded_concat)

    def __init__(self, *, filters: Mapping[str, Filter], newline: str, is_strict: bool, trims_blocks: bool) -> None:
        super().__init__(
            variable_start_string=VARIABLE_START,
            variable_end_string=VARIABLE_END,
            trim_blocks=trims_blocks,
            lstrip_blocks=trims_blocks,
            newline_sequence=newline,  # one of Jinja's three literals
            keep_trailing_newline=True,
            undefined=StrictMissingValue if is_strict else MissingValue,
            finalize=_finalize,
            optimized=False,
            autoescape=False,
            extensions=[NunjucksSyntax],
            cache_size=0,
        )
        self.filters = make_filters(filters) | {"_rounds": _rounds, "_pairs": _pairs}
        self.globals = {"cycler": Cycler, "joiner": Joiner, "namespace": Namespace, "range": _range}
        self._functions = tuple(self.globals.values())

    def _generate(self, source: nodes.Template, *arguments: Any, **options: Any) -> str:
        for node in source.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            name = type(node).__name__.lower()
            raise TemplateSyntaxError(f"{name} is not available: each file stands alone", node.lineno)
        return super()._generate(_Hardener().visit(source), *arguments, **options)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a member of a value: a key, or a method of the table."""
        if not isinstance(obj, (*_PLAIN, Undefined)):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a member, an item or a slice of a value."""
        if isinstance(obj, Undefined):
            return obj[argument]
        if not isinstance(obj, _PLAIN):
            return super().getitem(obj, argument)
        try:
            return cast("Any", obj)[argument]
        except (TypeError, LookupError):  # numbers and null have no items
            member = find_member(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name="")
        return self.undefined(obj=obj, name=str(argument)) if is_nothing(member) else member

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow macros, methods of the table, the few global functions and those of a loop."""
        if isinstance(obj, MethodType):
            return isinstance(obj.__self__, (LoopContext, Cycler))
        return isinstance(obj, (Macro, Method, LoopContext, Joiner)) or obj in self._functions

    def call(self, context: Context, obj: Any, *arguments: Any, **options: Any) -> Any:
        """Call something, as one step."""
        current_budget().take_step()
        if isinstance(obj, Undefined) or not self.is_safe_callable(obj):
            name = obj._undefined_name if isinstance(obj, Undefined) else _kind(obj)  # noqa: SLF001 - its only name
            raise TemplateRuntimeError(f'"{name}" is no function or method here.')
        return super().call(context, obj, *arguments, **options)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute an operator that could make something large, or that JavaScript has for text too."""
        if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
            texts = to_text(left), to_text(right)
            current_budget().take_characters(len(texts[0]) + len(texts[1]))
            return texts[0] + texts[1]
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            return current_budget().take(left + right)
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            kinds = f"{_kind(left)} and {_kind(right)}"
            raise LimitReached(f"The operator {operator} is for numbers, not for {kinds}.")
        if operator == "**" and abs(right) > _LARGEST_EXPONENT:
            raise LimitReached(f"An exponent is at most {_LARGEST_EXPONENT}.")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > _LARGEST_INTEGER_BITS * 64:
            raise LimitReached("It makes a number that is too large.")
        return result


def _kind(value: Any) -> str:
    names: dict[type, str] = {str: "text", list: "a list", dict: "an object", type(None): "null"}
    return "a missing value" if isinstance(value, Undefined) else names.get(type(value), type(value).__name__)
