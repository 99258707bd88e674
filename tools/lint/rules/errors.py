"""How errors are raised and caught."""

import ast
from collections.abc import Iterator

from tools.lint.framework import Problem, Rule, Source, name_of

BROAD = frozenset({"Exception", "BaseException"})


class HttpException(Rule):
    """Domains that speak HTTP instead of raising Roadbed's errors."""

    name = "http-exception"
    code = "RB201"
    description = "HTTPException is known to core.http only; all else raises the errors of core.errors"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in("core/http"):
            return
        for node, scope in source.nodes:
            imported = isinstance(node, ast.ImportFrom) and any(alias.name == "HTTPException" for alias in node.names)
            used = isinstance(node, ast.Attribute) and node.attr == "HTTPException"
            if imported or used:
                yield self.problem(
                    source, node, "HTTPException is used; raise a RoadbedError with a code of its own", scope=scope
                )


class BroadExcept(Rule):
    """`except Exception`, `except BaseException`, bare `except` and their like in `suppress`.

    A handler that ends in a bare `raise` only cleans up and is no problem.
    """

    name = "broad-except"
    code = "RB202"
    description = "no error is caught without saying which, but where the exceptions list says why"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python:
            return
        for node, scope in source.nodes:
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _ends_in_raise(node):
                shown = f"except {ast.unparse(node.type)}" if node.type else "a bare except"
                yield self.problem(source, node, f"{shown} catches everything; name the errors", scope=scope)
            elif isinstance(node, ast.Call) and name_of(node) == "suppress" and any(map(_is_broad, node.args)):
                yield self.problem(source, node, "suppress() hides everything; name the errors", scope=scope)


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(item) for item in caught.elts)
    return name_of(caught) in BROAD


def _ends_in_raise(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
