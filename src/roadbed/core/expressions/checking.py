"""Finding faults of an expression before it runs: unknown names, fields and functions, and types that do not fit."""

import difflib
from collections.abc import Callable, Collection, Mapping

from roadbed.core.expressions.errors import ExpressionInvalid, invalid
from roadbed.core.expressions.syntax import Kind, Node
from roadbed.core.expressions.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    NULL,
    NUMBERS,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    is_compatible,
    list_of,
    map_of,
)

MAXIMUM_NESTED_MACROS = 2

Scope = Mapping[str, Type]

_TYPE_NAMES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})
_FUNCTIONS: dict[str, Type] = {
    "bytes": BYTES,
    "double": DOUBLE,
    "duration": DURATION,
    "dyn": ANY,
    "int": INT,
    "size": INT,
    "string": STRING,
    "timestamp": TIMESTAMP,
    "type": TYPE,
    "uint": UINT,
}
_OF_TIME = """
    getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds
""".split()  # noqa: SIM905 - quoted, it is noise
_METHODS: dict[str, tuple[frozenset[str], int, Type]] = {
    "contains": (frozenset({"string"}), 1, BOOL),
    "endsWith": (frozenset({"string"}), 1, BOOL),
    "matches": (frozenset({"string"}), 1, BOOL),
    "size": (frozenset({"string", "bytes", "list", "map", "record"}), 0, INT),
    "startsWith": (frozenset({"string"}), 1, BOOL),
    **{name: (frozenset({"timestamp", "duration"}), 0, INT) for name in _OF_TIME},
}
_TIME_RESULTS = {
    ("+", "timestamp", "duration"): TIMESTAMP,
    ("+", "duration", "timestamp"): TIMESTAMP,
    ("+", "duration", "duration"): DURATION,
    ("-", "timestamp", "timestamp"): DURATION,
    ("-", "timestamp", "duration"): TIMESTAMP,
    ("-", "duration", "duration"): DURATION,
}
_ORDERED = NUMBERS | {"string", "bytes", "bool", "timestamp", "duration"}


def check(node: Node, *, source: str, inputs: Scope, result: Type) -> Type:
    """Return the type of an expression.

    Raises:
        ExpressionInvalid: at the first fault.
    """
    found = _Checker(source).infer(node, inputs, 0)
    if not is_compatible(found, result):
        raise invalid(f"The result must be {result}, and this is {found}.", source=source, offset=node.start)
    return found


class _Checker:
    def __init__(self, source: str) -> None:
        self._source = source
        self._rules: dict[Kind, Callable[[Node, list[Type]], Type]] = {
            Kind.BINARY: self._binary,
            Kind.CALL: self._call,
            Kind.CHOICE: self._choice,
            Kind.HAS: lambda _, __: BOOL,
            Kind.INDEX: self._index,
            Kind.LIST: lambda _, types: list_of(types[0] if len(set(types)) == 1 else ANY),
            Kind.LITERAL: lambda node, _: _literal_type(node.name),
            Kind.MAP: lambda _, types: map_of(types[1] if len(set(types[1::2])) == 1 else ANY),
            Kind.METHOD: self._method,
            Kind.SELECT: self._select,
            Kind.UNARY: self._unary,
        }

    def infer(self, node: Node, scope: Scope, nesting: int) -> Type:
        """Return the type of a node, after checking all below it."""
        if node.kind is Kind.NAME:
            return self._name(node, scope)
        if node.kind is Kind.MACRO:
            return self._macro(node, scope, nesting)
        return self._rules[node.kind](node, [self.infer(part, scope, nesting) for part in node.parts])

    def _name(self, node: Node, scope: Scope) -> Type:
        if node.name in scope:
            return scope[node.name]
        if node.name in _TYPE_NAMES:
            return TYPE
        raise self._unknown(node, "name", node.name, scope)

    def _macro(self, node: Node, scope: Scope, nesting: int) -> Type:
        if nesting == MAXIMUM_NESTED_MACROS:
            raise self._fault(
                node,
                f"At most {MAXIMUM_NESTED_MACROS} of all, exists, exists_one, filter and map may be nested.",
                hint="Ask for less at a time, or give the expression a prepared list.",
            )
        values, *bodies = node.parts
        through = self.infer(values, scope, nesting)
        if through.name not in {"any", "list", "map", "record"}:
            raise self._fault(values, f"{node.name} goes through a list or map, and this is {through}.")
        element = (through.element or ANY) if through.name == "list" else ANY if through.name == "any" else STRING
        inner = {**scope, node.variable: element}
        types = [self.infer(body, inner, nesting + 1) for body in bodies]
        if node.name == "map":
            if len(bodies) > 1:
                self._need_bool(bodies[0], types[0])
            return list_of(types[-1])
        self._need_bool(bodies[0], types[0])
        return list_of(element) if node.name == "filter" else BOOL

    def _choice(self, node: Node, types: list[Type]) -> Type:
        self._need_bool(node.parts[0], types[0])
        return types[1] if types[1] == types[2] else ANY

    def _select(self, node: Node, types: list[Type]) -> Type:
        operand = types[0]
        if operand.name == "any":
            return ANY
        if operand.name == "map":
            return operand.element or ANY
        if operand.name != "record":
            raise self._fault(node.parts[0], f"There are no fields in {operand}.")
        field = operand.field(node.name)
        if field is None:
            raise self._unknown(node, "field", node.name, dict(operand.fields))
        return field

    def _index(self, node: Node, types: list[Type]) -> Type:
        operand, index = types
        if operand.name not in {"any", "list", "map", "record"}:
            raise self._fault(node.parts[0], f"There are no items in {operand}.")
        wanted = INT if operand.name == "list" else ANY if operand.name == "any" else STRING
        if not is_compatible(index, wanted):
            raise self._fault(node.parts[1], f"An item of a {operand} is chosen by {wanted}, and this is {index}.")
        return operand.element or ANY

    def _call(self, node: Node, types: list[Type]) -> Type:
        if node.name in _METHODS and node.name not in _FUNCTIONS:
            raise self._fault(node, f"{node.name} is a method: write text.{node.name}(…).")
        if node.name not in _FUNCTIONS:
            raise self._unknown(node, "function", node.name, _FUNCTIONS)
        if len(node.parts) != 1:
            raise self._fault(node, f"{node.name} takes one argument.")
        if node.name == "size" and types[0].name not in _METHODS["size"][0] | {"any"}:
            raise self._fault(node.parts[0], f"{types[0]} has no size.")
        return _FUNCTIONS[node.name]

    def _method(self, node: Node, types: list[Type]) -> Type:
        operand = types[0]
        if node.name not in _METHODS:
            raise self._unknown(node, "method", node.name, _METHODS, at=node.parts[0].end)
        kinds, count, result = _METHODS[node.name]
        if len(node.parts) - 1 != count:
            words = "no arguments" if count == 0 else "one argument"
            raise self._fault(node, f"{node.name} takes {words}.")
        if operand.name != "any" and operand.name not in kinds:
            raise self._fault(node.parts[0], f"{operand} has no method {node.name}.")
        return result

    def _unary(self, node: Node, types: list[Type]) -> Type:
        operand = types[0]
        if node.name == "!":
            self._need_bool(node.parts[0], operand)
            return BOOL
        if operand.name not in NUMBERS | {"any"}:
            raise self._fault(node, f"{operand} cannot be made negative.")
        return operand

    def _binary(self, node: Node, types: list[Type]) -> Type:
        left, right = types
        if node.name in {"&&", "||"}:
            self._need_bool(node.parts[0], left)
            self._need_bool(node.parts[1], right)
            return BOOL
        if node.name in {"==", "!="}:
            if not is_compatible(left, right):
                raise self._fault(node, f"{left} and {right} are never equal.")
            return BOOL
        if "any" in {left.name, right.name}:
            return BOOL if node.name in {"<", "<=", ">", ">=", "in"} else ANY
        if node.name == "in":
            return self._in(node, left, right)
        if node.name in {"<", "<=", ">", ">="}:
            if not is_compatible(left, right) or left.name not in _ORDERED or right.name not in _ORDERED:
                raise self._fault(node, f"{left} and {right} have no order.")
            return BOOL
        return self._arithmetic(node, left, right)

    def _in(self, node: Node, left: Type, right: Type) -> Type:
        if right.name not in {"list", "map", "record"}:
            raise self._fault(node.parts[1], f'"in" looks into a list or map, and this is {right}.')
        element = (right.element or ANY) if right.name == "list" else STRING
        if not is_compatible(left, element):
            raise self._fault(node, f"There is no {left} in a {right}.")
        return BOOL

    def _arithmetic(self, node: Node, left: Type, right: Type) -> Type:
        of_time = _TIME_RESULTS.get((node.name, left.name, right.name))
        if of_time is not None:
            return of_time
        fits = NUMBERS - {"double"} if node.name == "%" else NUMBERS
        if node.name == "+":
            fits = fits | {"string", "bytes", "list"}
        if left.name != right.name or left.name not in fits:
            raise self._fault(
                node,
                f"{left} {node.name} {right} is not defined.",
                hint="Convert one of them: int(x), double(x), string(x).",
            )
        return left if left == right else Type(left.name, ANY)

    def _need_bool(self, node: Node, found: Type) -> None:
        if found.name not in {"bool", "any"}:
            raise self._fault(node, f"This must be bool, and it is {found}.")

    def _unknown(self, node: Node, what: str, name: str, known: Collection[str], *, at: int = 0) -> ExpressionInvalid:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f'Did you mean "{close[0]}"?' if close else f"Known: {', '.join(sorted(known))}." if known else None
        offset = at or (node.end - len(name) if node.kind is Kind.SELECT else node.start)
        return invalid(f'There is no {what} "{name}".', source=self._source, offset=offset, hint=hint)

    def _fault(self, node: Node, message: str, *, hint: str | None = None) -> ExpressionInvalid:
        message = message[0].upper() + message[1:]
        return invalid(message, source=self._source, offset=node.start, hint=hint)


def _literal_type(text: str) -> Type:
    if text in {"true", "false"}:
        return BOOL
    if text == "null":
        return NULL
    if text[-1] in "\"'":
        return BYTES if text[0] in "bB" else STRING
    if text.startswith("0x"):
        return UINT if text[-1] in "uU" else INT
    return UINT if text[-1] in "uU" else DOUBLE if set(text) & set(".eE") else INT
