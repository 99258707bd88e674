"""Limits on the tail: no file, function, signature or template grows until nobody reads it."""

import ast
from collections.abc import Iterator

from tools.lint.framework import Function, Problem, Rule, Source

FILE_LINES = 500
FUNCTION_LINES = 50
PARAMETERS = 6
TEMPLATE_LINES = 150


class FileSize(Rule):
    """Files too long to know. A migration is a list, however long."""

    name = "file-size"
    code = "RB601"
    description = f"a Python file has at most {FILE_LINES} lines"

    def check(self, source: Source) -> Iterator[Problem]:
        lines = len(source.text.splitlines())
        if source.is_python and not source.is_migration and lines > FILE_LINES:
            yield self.problem(source, FILE_LINES, f"{lines} lines; make a folder of the same name of it")


class FunctionSize(Rule):
    """Functions too long to see at once, from `def` to the last line. A migration is a list, however long."""

    name = "function-size"
    code = "RB602"
    description = f"a function has at most {FUNCTION_LINES} lines"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or source.is_migration:
            return
        for node, scope in source.nodes:
            if not isinstance(node, Function):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield self.problem(source, node, f"{node.name} has {lines} lines; give its parts names", scope=scope)


class ParameterCount(Rule):
    """Signatures that hide an object. Keyword-only parameters count; self and cls do not.

    Not counted are tests, whose parameters are fixtures, and commands, whose parameters are options.
    """

    name = "parameter-count"
    code = "RB603"
    description = f"a function has at most {PARAMETERS} parameters"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python:
            return
        for node, scope in source.nodes:
            if not isinstance(node, Function) or _is_test(source, node) or _is_command(node):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if arguments and arguments[0].arg in ("self", "cls"):
                arguments.pop(0)
            if len(arguments) > PARAMETERS:
                yield self.problem(
                    source, node, f"{node.name} has {len(arguments)} parameters; group those that belong together",
                    scope=scope,
                )  # fmt: skip


class TemplateSize(Rule):
    name = "template-size"
    code = "RB604"
    description = f"a template has at most {TEMPLATE_LINES} lines"

    def check(self, source: Source) -> Iterator[Problem]:
        lines = len(source.text.splitlines())
        if source.is_template and lines > TEMPLATE_LINES:
            yield self.problem(source, TEMPLATE_LINES, f"{lines} lines; move a part to a fragment or a component")


def _is_test(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return source.path.startswith("tests/") and function.name.startswith("test_")


def _is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr == "command" for call in calls)
