import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import cel
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roadbed.core.expressions import (
    ANY,
    BOOL,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    Expression,
    ExpressionFailed,
    ExpressionInvalid,
    Part,
    PartStatus,
    Type,
    list_of,
    map_of,
    record,
)
from roadbed.core.expressions.cost import MAXIMUM_COST, estimate, measure
from roadbed.core.expressions.syntax import Kind, Node, parse

ENTITY = record(
    {
        "kind": STRING,
        "metadata": record({"name": STRING, "tags": list_of(STRING), "labels": map_of(STRING)}),
        "spec": record({"owner": STRING, "replicas": INT}, is_open=True),
    }
)
INPUTS: dict[str, Type] = {
    "entity": ENTITY,
    "count": INT,
    "numbers": list_of(INT),
    "at": TIMESTAMP,
    "age": DURATION,
    "extra": ANY,
}
VALUES: dict[str, Any] = {
    "entity": {
        "kind": "Component",
        "metadata": {"name": "orders", "tags": ["go", "rest", "shop"], "labels": {"tier": "1"}},
        "spec": {"owner": "group:default/checkout", "replicas": 3, "lifecycle": "production"},
    },
    "count": 3,
    "numbers": [1, 2, 3, 4, 5, 6, 7, 8],
    "at": datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    "age": timedelta(hours=2),
    "extra": {"deep": [{"a": 1}, {"a": None}], "text": "x"},
}


def evaluate(source: str) -> Any:
    return Expression.compile(source, inputs=INPUTS).evaluate(VALUES)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('entity.kind == "Component" && entity.metadata.tags.exists(tag, tag == "go")', True),
        ('entity.spec.lifecycle in ["production", "staging"]', True),
        ('has(entity.spec.system) ? entity.spec.system : "none"', "none"),
        ('entity.metadata.labels["tier"]', "1"),
        ("numbers.filter(n, n > count).map(n, n * 2)", [8, 10, 12, 14, 16]),
        ("numbers.map(n, n > 7, n)", [8]),
        ('at < timestamp("2027-01-01T00:00:00Z") && age <= duration("2h")', True),
        ("extra.deep[0].a + count", 4),
        ("extra.deep.exists_one(d, d.a == null)", True),
        ('type(count) == int && "%" != r"\\"', True),
        ("-count - -1", -2),
        ("1 + 2 * 3 == 7 && !(1 > 2) // a comment", True),
        ('"""two\nlines""".size()', 9),
        ("{'a': 1, 'b': [2,],}.b[0]", 2),
        ("true ? 1 : false ? 2 : 3", 1),
    ],
)
def test_expression_has_its_value(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("", 1, 1, "is empty"),
        ("1 +", 1, 4, "found the end"),
        ("count ==\n  (1 2", 2, 6, 'Expected ")", found "2"'),
        ('"open', 1, 1, "no end"),
        ("entty.kind", 1, 1, 'no name "entty"'),
        ("entity.metadata.nmae", 1, 17, 'no field "nmae"'),
        ("true && count", 1, 9, "must be bool"),
        ('count == "3"', 1, 1, "never equal"),
        ('count + "3"', 1, 1, "int + string is not defined"),
        ('1 in "abc"', 1, 6, "looks into a list or map"),
        ('"a" in numbers', 1, 1, "no string in a list(int)"),
        ("count.name", 1, 1, "no fields in int"),
        ('numbers["a"]', 1, 9, "chosen by int"),
        ("count.all(x, x > 1)", 1, 1, "goes through a list or map"),
        ("numbers.all(x, x)", 1, 16, "must be bool"),
        ("numbers.all(1, true)", 1, 13, "first argument of all is a name"),
        ("size(count)", 1, 6, "int has no size"),
        ("sizes(numbers)", 1, 1, 'no function "sizes"'),
        ('"a".lower()', 1, 4, 'no method "lower"'),
        ('"a".contains()', 1, 1, "takes one argument"),
        ("matches('a', 'b')", 1, 1, "is a method"),
        ("has(count)", 1, 1, "has() takes one field"),
        ("if", 1, 1, "reserved word"),
        ("a.b{c: 1}", 1, 4, "Messages are not supported"),
        ("'\\d'", 1, 1, "Token recognition error"),
        ("9223372036854775808", 1, 1, "Invalid int literal"),
        ("(" * 60 + "1" + ")" * 60, 1, 25, "more than 24 deep"),
        ("1" + " + 1" * 600, 1, 1, "longer than 2048 bytes"),
        ("numbers.all(a, numbers.all(b, numbers.all(c, true)))", 1, 31, "At most 2"),
    ],
)
def test_fault_is_found_before_anything_runs_and_shown_in_place(
    source: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(ExpressionInvalid) as caught:
        Expression.compile(source, inputs=INPUTS)
    assert message.lower() in caught.value.message.lower()
    assert (caught.value.context["line"], caught.value.context["column"]) == (line, column)
    shown, caret = caught.value.context["excerpt"].split("\n")
    assert caret.endswith("^")
    assert len(shown) <= 100


def test_close_names_are_offered() -> None:
    with pytest.raises(ExpressionInvalid) as caught:
        Expression.compile("entity.metadata.lables", inputs=INPUTS)
    assert caught.value.hint == 'Did you mean "labels"?'


def test_result_must_be_of_the_wanted_type() -> None:
    assert Expression.compile("count > 1", inputs=INPUTS, result=BOOL).result == BOOL
    assert Expression.compile("extra.text", inputs=INPUTS, result=BOOL).result == ANY
    with pytest.raises(ExpressionInvalid, match="The result must be bool, and this is int"):
        Expression.compile("count", inputs=INPUTS, result=BOOL)


def test_compiled_expressions_are_kept() -> None:
    assert Expression.compile("count > 1", inputs=INPUTS) is Expression.compile("count > 1", inputs=dict(INPUTS))


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("extra.absent == 1", 'no "absent"', 1),
        ("count > 1 && numbers[count * 10] == 1", "no item 30", 14),
        ("count / 0", "Division by zero", 1),
        ("count + 9223372036854775807", "too large", 1),
        ("extra.text > 1", "not defined for values of these types", 1),
        ("count > 1 ? int(extra.text) : 1", "invalid digit", 13),
        ("extra.deep.all(d, d.a > 0)", "not defined", 19),
        ("timestamp(extra.text) < at", "premature end", 1),
        ("extra.text.matches('(')", "not a valid regex", 1),
    ],
)
def test_failure_names_the_part_that_failed(source: str, message: str, column: int) -> None:
    expression = Expression.compile(source, inputs=INPUTS)
    with pytest.raises(ExpressionFailed) as caught:
        expression.evaluate(VALUES)
    assert message.lower() in caught.value.message.lower()
    assert caught.value.context["column"] == column
    explanation = expression.explain(VALUES)
    assert explanation.value is None
    assert explanation.error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": "3"}, '"count" is str, not int'),
        ({"count": True}, '"count" is bool, not int'),
        ({"numbers": {"a": 1}}, '"numbers" is dict, not list'),
        ({"other": 1}, "no inputs of the expression: other"),
    ],
)
def test_inputs_must_be_those_declared(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ExpressionFailed, match=message.replace("(", r"\(")):
        Expression.compile("count == 3", inputs=INPUTS).evaluate(VALUES | change)


def test_missing_input_is_named_and_null_is_of_each_type() -> None:
    expression = Expression.compile("count == null", inputs={"count": INT})
    assert expression.evaluate({"count": None}) is True
    with pytest.raises(ExpressionFailed, match="missing for the inputs: count"):
        expression.evaluate({})


def test_explanation_shows_the_value_of_each_part() -> None:
    source = 'entity.kind == "Component" && entity.spec.replicas > count || count / 0 == 1'
    assert Expression.compile(source, inputs=INPUTS).explain(VALUES | {"count": 2}).to_text().splitlines() == [
        'entity.kind == "Component" && entity.spec.replicas > count || count / 0 == 1 → true',
        '  entity.kind == "Component" && entity.spec.replicas > count → true',
        '    entity.kind == "Component" → true',
        '      entity.kind → "Component"',
        "    entity.spec.replicas > count → true",
        "      entity.spec.replicas → 3",
        "      count → 2",
        "  count / 0 == 1 → not evaluated",
    ]


def test_explanation_of_a_macro_shows_elements_up_to_the_deciding_one() -> None:
    explanation = Expression.compile("numbers.all(n, n + 0 < 7)", inputs=INPUTS).explain(VALUES)
    assert explanation.value is False
    assert explanation.to_text().splitlines() == [
        "numbers.all(n, n + 0 < 7) → false",
        "  numbers → [1, 2, 3, 4, 5, 6, 7, 8]",
        "  n = 1: n + 0 < 7 → true",
        "    n + 0 → 1",
        "  n = 2: n + 0 < 7 → true",
        "    n + 0 → 2",
        "  n = 3: n + 0 < 7 → true",
        "    n + 0 → 3",
        "  n = 4: n + 0 < 7 → true",
        "    n + 0 → 4",
        "  n = 5: n + 0 < 7 → true",
        "    n + 0 → 5",
        "  n = 7: n + 0 < 7 → false",
        "    n + 0 → 7",
        "  and 2 more",
    ]


def test_explanation_goes_into_nested_macros_and_branches() -> None:
    source = "extra.deep.exists(d, numbers.exists(n, n == d.a)) ? [count].map(c, c * 2) : []"
    text = Expression.compile(source, inputs=INPUTS).explain(VALUES).to_text()
    assert 'd = {"a": 1}: numbers.exists(n, n == d.a) → true' in text
    assert "      n = 1: n == d.a → true" in text
    assert "c = 3: c * 2 → 6" in text
    assert "[] → not evaluated" in text


def test_explanation_keeps_types_that_python_does_not_have() -> None:
    explanation = Expression.compile("[1u, 2u].all(x, x + 1u > 1u)", inputs={}).explain({})
    assert explanation.value is True
    assert all(part.status is PartStatus.EVALUATED for part in all_parts(explanation.root))


def test_explanation_becomes_data() -> None:
    data = Expression.compile("at + age > at && extra.text == 'y'", inputs=INPUTS).explain(VALUES).to_data()
    assert data["value"] is False
    assert data["root"]["status"] == "evaluated"
    first = data["root"]["parts"][0]["parts"][0]
    assert first["value"] == "2026-11-23T14:00:00+00:00"
    assert (first["line"], first["column"]) == (1, 1)


def test_explanation_of_a_large_list_stays_small() -> None:
    expression = Expression.compile("numbers.all(a, numbers.exists(b, b == a))", inputs=INPUTS)
    started = time.process_time()
    explanation = expression.explain(VALUES | {"numbers": list(range(400))})
    assert explanation.value is True
    assert len(all_parts(explanation.root)) < 300
    assert time.process_time() - started < 5


def all_parts(part: Part) -> list[Part]:
    return [part, *(inner for below in part.parts for inner in all_parts(below))]


def test_a_list_of_more_than_a_thousand_is_refused() -> None:
    expression = Expression.compile("numbers.all(n, n > 0)", inputs=INPUTS)
    assert expression.evaluate(VALUES | {"numbers": [1] * 1000}) is True
    with pytest.raises(ExpressionFailed, match="1,001 items is too long"):
        expression.evaluate(VALUES | {"numbers": [1] * 1001})
    with pytest.raises(ExpressionFailed, match="1,001 items is too long"):
        expression.evaluate(VALUES | {"extra": {"deep": [[1] * 1001]}})


LARGE = {
    "l": list(range(1000)),
    "d": [{"a": i, "b": "x" * 20, "c": [1, 2, 3]} for i in range(1000)],
    "t": "x" * 500_000,
}


@pytest.mark.parametrize(
    "source",
    [
        "l.map(x, l.map(y, x + y))",
        "l.map(x, l)",
        "l.map(x, l + l)",
        "d.map(x, d)",
        "l.map(x, t)",
        "l.map(x, t + t)",
        "l.all(x, d.filter(y, y.a == x).size() == 1)",
        "+".join(["d"] * 400),
        "l.all(x, d[x].a == x)",
        "l.map(x, [x, x, x]).map(y, l.map(z, y))",
    ],
)
def test_expressions_that_would_stop_the_server_are_refused_at_once(source: str) -> None:
    expression = Expression.compile(source, inputs={"l": ANY, "d": ANY, "t": ANY})
    started = time.process_time()
    with pytest.raises(ExpressionFailed, match="would take too long"):
        expression.evaluate(LARGE)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("l.all(x, l.all(y, x + y >= 0))", 1000),
        ("l.map(x, x + 1).filter(x, x > 0).size() > 0", 1000),
        ("d.filter(x, x.a >= 0).size() > 0", 200),
        ("d.all(x, x.c.exists(y, y == 3))", 1000),
        ("d.map(x, x.b + x.b)", 300),
        ("l.map(x, l.map(y, x + y))", 60),
        ("d.exists(x, x.a == -1) || l.exists(x, x in l)", 1000),
        ("l.all(x, d[x].a == x)", 100),
        ("+".join(["l"] * 100), 100),
    ],
)
def test_what_is_allowed_takes_no_longer_than_estimated(source: str, length: int) -> None:
    values = {"l": LARGE["l"][:length], "d": LARGE["d"][:length]}  # type: ignore[index]  # both are lists
    cost = estimate(parse(source), {name: measure(value) for name, value in values.items()})
    assert cost <= MAXIMUM_COST
    program = cel.compile(source)
    program.execute(values)
    times: list[float] = []
    for _ in range(3):
        started = time.process_time()
        program.execute(values)
        times.append(time.process_time() - started)
    assert min(times) < cost * 1e-7 * 3 + 0.02


# Generated expressions.

ATOMS = {
    "int": ["1", "0", "-2", "count", "extra.deep[0].a", "numbers[1]", "numbers.size()", "1 / 0", "extra.none"],
    "bool": ["true", "false", "has(extra.deep)", "(extra.none == 1)", "(1 / 0 == 1)"],
    "text": ['"a"', "'go'", "entity.kind", "extra.text", "entity.spec.lifecycle", "r'\\'", '"\\""'],
}


def generated(kind: str) -> st.SearchStrategy[str]:
    return st.recursive(st.sampled_from(ATOMS[kind]), lambda inner: grow(kind, inner), max_leaves=6)


def grow(kind: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    if kind == "int":
        return st.builds("{} {} {}".format, inner, st.sampled_from("+-*/%"), inner) | st.builds("({})".format, inner)
    if kind == "text":
        return st.builds("{} + {}".format, inner, inner) | st.builds("({} == 'a' ? {} : 'b')".format, inner, inner)
    return (
        st.builds("{} {} {}".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("({}) == ({})".format, inner, inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
        | st.builds("({} {} {})".format, generated("int"), st.sampled_from(["<", "<=", "==", "!="]), generated("int"))
        | st.builds("({} == {})".format, generated("text"), generated("text"))
        | st.builds("numbers.{}(x, x > {} || {})".format, st.sampled_from(["all", "exists"]), generated("int"), inner)
        | st.builds("(numbers.filter(x, {}).size() > {})".format, inner, generated("int"))
    )


@settings(deadline=None, max_examples=400)
@given(source=generated("bool") | generated("int") | generated("text"))
def test_explanation_has_the_value_of_the_evaluation(source: str) -> None:
    assume(len(source) < 2000)
    try:
        expression = Expression.compile(source, inputs=INPUTS)
    except ExpressionInvalid as error:
        assume("At most 2" not in error.message and "24 deep" not in error.message)
        raise
    explanation = expression.explain(VALUES)
    try:
        value = expression.evaluate(VALUES)
    except ExpressionFailed:
        assert explanation.error
        return
    assert not explanation.error
    assert explanation.value == value
    assert type(explanation.value) is type(value)
    for part in all_parts(explanation.root):
        assert_follows(part)


def assert_follows(part: Part) -> None:
    """A logical operator's value follows from the values shown for its operands."""
    node = parse(part.source)
    if node.kind is not Kind.BINARY or node.name not in {"&&", "||"} or part.status is not PartStatus.EVALUATED:
        return
    left, right = part.parts
    if right.status is PartStatus.NOT_EVALUATED:
        assert part.value is left.value is (node.name == "||")
    elif left.status is right.status is PartStatus.EVALUATED:
        assert part.value is ((left.value or right.value) if node.name == "||" else (left.value and right.value))
    else:
        assert part.value is (node.name == "||")


FORMS: dict[Kind, Callable[[Node, list[str]], str]] = {
    Kind.BINARY: lambda node, parts: f"(({parts[0]}) {node.name} ({parts[1]}))",
    Kind.CALL: lambda node, parts: f"{node.name}({', '.join(parts)})",
    Kind.CHOICE: lambda _, parts: f"(({parts[0]}) ? ({parts[1]}) : ({parts[2]}))",
    Kind.HAS: lambda _, parts: f"has({parts[0]})",
    Kind.INDEX: lambda _, parts: f"({parts[0]})[{parts[1]}]",
    Kind.LIST: lambda _, parts: f"[{', '.join(parts)}]",
    Kind.LITERAL: lambda node, _: node.name,
    Kind.MACRO: lambda node, parts: f"({parts[0]}).{node.name}({', '.join([node.variable, *parts[1:]])})",
    Kind.MAP: lambda _, parts: (
        "{" + ", ".join(f"{key}: {value}" for key, value in zip(parts[::2], parts[1::2], strict=True)) + "}"
    ),
    Kind.METHOD: lambda node, parts: f"({parts[0]}).{node.name}({', '.join(parts[1:])})",
    Kind.NAME: lambda node, _: node.name,
    Kind.SELECT: lambda node, parts: f"({parts[0]}).{node.name}",
    # The evaluator takes a row of signs together: `--x` is x, of whatever type.
    Kind.UNARY: lambda node, parts: (
        f"({node.name}{parts[0][1:-1] if node.parts[0].kind is Kind.UNARY else f'({parts[0]})'})"
    ),
}


def parenthesise(node: Node) -> str:
    """Write a tree back with every operation in parentheses."""
    return FORMS[node.kind](node, [parenthesise(part) for part in node.parts])


def outcome(source: str) -> Any:
    try:
        return cel.compile(source).execute(VALUES)
    except (RuntimeError, TypeError, ArithmeticError, LookupError, ValueError) as error:
        return type(error)


TOKENS = """
    1 0 2u 1.5 'a' "b" count numbers extra . . ( ) [ ] , : ? { } + - * / % ! < == && || in all map filter x has
    r'\\' '\\'' // numbers.all(x, numbers.map(x, has(extra.a) extra.deep true null
""".split()  # noqa: SIM905 - quoted, it is noise
OURS_ALONE = ("Messages are not", "reserved word", "has() takes", "first argument", 'found "."')


@settings(deadline=None, max_examples=1500)
@given(st.lists(st.sampled_from([*TOKENS, "\n"]), min_size=1, max_size=14).map(" ".join))
def test_both_readers_see_the_same_tree(source: str) -> None:
    try:
        cel.compile(source)
        is_accepted = True
    except ValueError:
        is_accepted = False
    try:
        node = parse(source)
    except ExpressionInvalid as error:
        if is_accepted and not any(reason in error.message for reason in OURS_ALONE):
            raise
        return
    if is_accepted:
        assert outcome(parenthesise(node)) == outcome(source)


@settings(deadline=None, max_examples=300)
@given(source=generated("bool") | generated("int") | generated("text"))
def test_generated_expressions_are_read_as_the_evaluator_reads_them(source: str) -> None:
    assume(len(source) < 2000)
    try:
        node = parse(source)
    except ExpressionInvalid as error:
        assume("24 deep" not in error.message)
        raise
    assert outcome(parenthesise(node)) == outcome(source)


@given(st.text(max_size=60))
def test_any_text_compiles_or_is_refused_properly(source: str) -> None:
    with contextlib.suppress(ExpressionInvalid):
        Expression.compile(source, inputs=INPUTS)
