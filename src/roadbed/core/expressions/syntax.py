"""Reading CEL into a tree whose nodes know their place, after the grammar of the CEL specification.

The tree serves checks and explanations; values come from the Rust evaluator only. Where that evaluator knows less than
the specification (messages, absolute names, optional fields), this reader refuses as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from roadbed.core.expressions.errors import ExpressionInvalid, invalid

MAXIMUM_BYTES = 2_048
MAXIMUM_DEPTH = 24
MACROS = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,), "map": (2, 3)}

_RESERVED = frozenset(
    """
    as break const continue else false for function if import in let loop package namespace null return true var void
    while
    """.split()  # noqa: SIM905 - quoted, it is noise
)
_TOKEN = re.compile(
    r"""
    (?P<space>[\ \t\r\n\f]+|//[^\n]*)
  | (?P<string>[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\r\n]*"|'[^'\r\n]*')
      |[bB]?(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'))
  | (?P<number>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|0x[0-9a-fA-F]+[uU]?|\d+[uU]?))
  | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<sign>&&|\|\||==|!=|<=|>=|[-<>+*/%!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in")


class Kind(StrEnum):
    """What a node is."""

    LITERAL = "literal"
    NAME = "name"
    SELECT = "select"
    INDEX = "index"
    CALL = "call"
    METHOD = "method"
    UNARY = "unary"
    BINARY = "binary"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"
    MACRO = "macro"
    HAS = "has"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Args:
        kind: what it is.
        start: its first character in the source, an opening parenthesis around it included.
        end: after its last character.
        name: the operator, function, field or name; a literal's text.
        parts: operands. Of a method: what it is called on, then the arguments. Of a macro: the values it goes
            through, then what is done for each of them. Of a map: key, value, key, value.
        variable: of a macro, the name for the current element.
    """

    kind: Kind
    start: int
    end: int
    name: str = ""
    parts: tuple["Node", ...] = ()
    variable: str = ""

    def walk(self) -> Iterator["Node"]:
        """List this node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse(source: str) -> Node:
    """Read an expression.

    Raises:
        ExpressionInvalid: it is too long, nested too deeply, or no CEL.
    """
    if len(source.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
        raise invalid(f"The expression is longer than {MAXIMUM_BYTES} bytes.", source=source, offset=0)
    reader = _Reader(source)
    node = reader.read_expression()
    if reader.token.kind != "end":
        raise reader.fault()
    return node


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            what = "This text has no end." if source[position] in "\"'" else f'"{source[position]}" means nothing here.'
            raise invalid(what, source=source, offset=position)
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match[0], position))
        position = match.end()
    return [*tokens, _Token("end", "", len(source))]


class _Reader:
    """Recursive descent, one method for each level of binding strength."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._tokens = _tokens(source)
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._at]

    def fault(self, expected: str = "") -> ExpressionInvalid:
        found = f'"{self.token.text}"' if self.token.text else "the end"
        message = f"Expected {expected}, found {found}." if expected else f"{found.capitalize()} is out of place here."
        return invalid(message, source=self.source, offset=self.token.start)

    def read_expression(self) -> Node:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise invalid(f"It is nested more than {MAXIMUM_DEPTH} deep.", source=self.source, offset=self.token.start)
        condition = self._read_left(0)
        if self._take("?"):
            chosen = self._read_left(0)
            self._expect(":")
            other = self.read_expression()
            condition = Node(Kind.CHOICE, condition.start, other.end, "?:", (condition, chosen, other))
        self._depth -= 1
        return condition

    def _read_left(self, level: int) -> Node:
        """Read operators of one level, which bind to the left."""
        if level == len(_LEVELS):
            return self._read_unary()
        node = self._read_left(level + 1)
        while self.token.text in _LEVELS[level] and self.token.kind in {"sign", "name"}:
            operator = self._next().text
            right = self._read_left(level + 1)
            node = Node(Kind.BINARY, node.start, right.end, operator, (node, right))
        return node

    def _read_unary(self) -> Node:
        operators: list[_Token] = []
        while self.token.text in {"!", "-"} and (not operators or operators[0].text == self.token.text):
            operators.append(self._next())
        node = self._read_member()
        for operator in reversed(operators):
            node = Node(Kind.UNARY, operator.start, node.end, operator.text, (node,))
        return node

    def _read_member(self) -> Node:
        node = self._read_primary()
        while True:
            if self._take("."):
                node = self._read_field(node)
            elif self._take("["):
                index = self.read_expression()
                end = self._expect("]").end
                node = Node(Kind.INDEX, node.start, end, "[]", (node, index))
            elif self.token.text == "{" and self.token.kind == "sign":
                raise invalid("Messages are not supported.", source=self.source, offset=self.token.start)
            else:
                return node

    def _read_field(self, operand: Node) -> Node:
        if self.token.kind != "name" or self.token.text in {"true", "false", "null", "in"}:
            raise self.fault("a name")
        field = self._next()
        if not self._take("("):
            return Node(Kind.SELECT, operand.start, field.end, field.text, (operand,))
        arguments = self._read_list(")")
        end = self._tokens[self._at - 1].end
        if len(arguments) in MACROS.get(field.text, ()):
            return self._macro(field, operand, arguments, end)
        return Node(Kind.METHOD, operand.start, end, field.text, (operand, *arguments))

    def _macro(self, name: _Token, operand: Node, arguments: list[Node], end: int) -> Node:
        variable = arguments[0]
        if variable.kind is not Kind.NAME or self.source[variable.start] == "(":
            raise invalid(f"The first argument of {name.text} is a name.", source=self.source, offset=variable.start)
        return Node(
            Kind.MACRO,
            operand.start,
            end,
            name.text,
            (operand, *arguments[1:]),
            self.source[variable.start : variable.end],
        )

    def _read_primary(self) -> Node:
        token = self._next()
        if token.kind in {"string", "number"} or token.text in {"true", "false", "null"}:
            return Node(Kind.LITERAL, token.start, token.end, token.text)
        if token.kind == "name" and token.text not in _RESERVED:
            return self._read_name(token)
        if token.text == "(":
            node = self.read_expression()
            return Node(node.kind, token.start, self._expect(")").end, node.name, node.parts, node.variable)
        if token.text == "[":
            items = self._read_list("]", may_trail=True)
            return Node(Kind.LIST, token.start, self._tokens[self._at - 1].end, "[]", tuple(items))
        if token.text == "{":
            return self._read_map(token)
        self._at -= token.kind != "end"
        if token.kind == "name":
            raise invalid(f'"{token.text}" is a reserved word.', source=self.source, offset=token.start)
        raise self.fault("a value")

    def _read_name(self, token: _Token) -> Node:
        if not self._take("("):
            return Node(Kind.NAME, token.start, token.end, token.text)
        arguments = self._read_list(")")
        end = self._tokens[self._at - 1].end
        if token.text != "has":
            return Node(Kind.CALL, token.start, end, token.text, tuple(arguments))
        if len(arguments) != 1 or arguments[0].kind is not Kind.SELECT:
            raise invalid("has() takes one field: has(a.b).", source=self.source, offset=token.start)
        return Node(Kind.HAS, token.start, end, "has", tuple(arguments))

    def _read_map(self, opening: _Token) -> Node:
        parts: list[Node] = []
        while not self._take("}"):
            if parts:
                self._expect(",")
                if self._take("}"):
                    break
            key = self.read_expression()
            self._expect(":")
            parts += (key, self.read_expression())
        return Node(Kind.MAP, opening.start, self._tokens[self._at - 1].end, "{}", tuple(parts))

    def _read_list(self, closing: str, *, may_trail: bool = False) -> list[Node]:
        items: list[Node] = []
        while not self._take(closing):
            if items:
                self._expect(",")
                if may_trail and self._take(closing):
                    break
            items.append(self.read_expression())
        return items

    def _next(self) -> _Token:
        token = self.token
        self._at += token.kind != "end"
        return token

    def _take(self, text: str) -> bool:
        if self.token.kind == "sign" and self.token.text == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> _Token:
        if not self._take(text):
            raise self.fault(f'"{text}"')
        return self._tokens[self._at - 1]


_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), _RELATIONS, ("+", "-"), ("*", "/", "%"))
