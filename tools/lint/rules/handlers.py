"""Every route says who may call it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.lint.framework import Function, Problem, Rule, Source, name_of

DECLARATIONS = frozenset({"requires", "anonymous", "signed_in"})
METHODS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "trace", "route", "api_route", "websocket"}
)
DIRECT = frozenset({"add_api_route", "add_route", "add_websocket_route", "add_api_websocket_route", "mount"})
ROUTE_CLASSES = frozenset({"Route", "APIRoute", "WebSocketRoute", "Mount"})


class HandlerAccess(Rule):
    """Handlers without an access declaration.

    It is a parameter annotated with `Annotated[Actor, requires(…)]` (or `anonymous(…)`, `signed_in()`) or an alias of
    that kind from an `access` module, or a `dependencies=[requires(…)]` of the decorator or of the router.
    """

    name = "handler-access"
    code = "RB301"
    description = "each route handler declares who may call it: requires(), signed_in() or anonymous()"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts:
            return
        routers = _find_routers(source)
        aliases = _local_aliases(source.tree) | _imported_aliases(source)
        for node, scope in source.nodes:
            if not isinstance(node, Function):
                continue
            routes = [route for route in map(_as_route, node.decorator_list) if route is not None]
            if any(not _is_guarded(route, routers) for route in routes) and not _has_subject(node, aliases):
                yield self.problem(
                    source,
                    node,
                    f"handler {node.name} does not say who may call it; give it a parameter from access.py, "
                    "such as `_: EntityReader`",
                    scope=scope,
                )


class HandlerRegistration(Rule):
    """Routes made by a call, where no signature shows who may use them."""

    name = "handler-registration"
    code = "RB302"
    description = "routes are made by decorators, so that their access is seen; mounts are listed exceptions"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in("cli"):
            return
        for node, scope in source.nodes:
            if not isinstance(node, ast.Call):
                continue
            is_direct = isinstance(node.func, ast.Attribute) and node.func.attr in DIRECT
            if is_direct or (isinstance(node.func, ast.Name) and node.func.id in ROUTE_CLASSES):
                yield self.problem(
                    source, node, f"{name_of(node)}() makes a route past the access check; use a decorator", scope=scope
                )


def _as_route(decorator: ast.expr) -> ast.Call | None:
    """Return the decorator if it makes a route: `@router.get(…)`, `@some_router.post(…)`, `@app.put(…)`."""
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
        return None
    owner = name_of(decorator.func.value).lower()
    is_router = owner == "app" or owner.endswith(("router", "pages", "api"))
    return decorator if is_router and decorator.func.attr in METHODS else None


def _find_routers(source: Source) -> dict[str, ast.Call]:
    """Return the routers made in this file, by name."""
    found: dict[str, ast.Call] = {}
    for node, _ in source.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            found.update({target.id: node.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def _is_guarded(route: ast.Call, routers: dict[str, ast.Call]) -> bool:
    assert isinstance(route.func, ast.Attribute)
    router = routers.get(name_of(route.func.value))
    return _has_declared_dependency(route) or (router is not None and _has_declared_dependency(router))


def _has_declared_dependency(call: ast.Call) -> bool:
    return any(keyword.arg == "dependencies" and _declares(keyword.value) for keyword in call.keywords)


def _declares(node: ast.AST, aliases: frozenset[str] = frozenset()) -> bool:
    return any(
        (isinstance(inner, ast.Call) and name_of(inner) in DECLARATIONS)
        or (isinstance(inner, ast.Name | ast.Attribute) and ast.unparse(inner) in aliases)
        for inner in ast.walk(node)
    )


def _has_subject(function: Function, aliases: frozenset[str]) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotations = [argument.annotation for argument in arguments if argument.annotation is not None]
    return any(
        _declares(annotation, aliases) if _is_annotated(annotation) else ast.unparse(annotation) in aliases
        for annotation in annotations
    )


def _is_annotated(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and name_of(annotation.value) == "Annotated"


def _local_aliases(tree: ast.Module) -> frozenset[str]:
    """Return the names that stand for a declaration: `EntityReader = Annotated[Actor, requires(…)]`."""
    return frozenset(
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_annotated(node.value) and _declares(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def _imported_aliases(source: Source) -> frozenset[str]:
    """Return the local names of aliases that this file imports from an `access` module."""
    found: set[str] = set()
    for node in source.tree.body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("roadbed"):
            continue
        module = node.module or ""
        for alias in node.names:
            local = alias.asname or alias.name
            if module.endswith(".access"):
                if alias.name in _aliases_of_module(source.root, module):
                    found.add(local)
            elif alias.name == "access":
                found.update(f"{local}.{name}" for name in _aliases_of_module(source.root, f"{module}.access"))
    return frozenset(found)


@cache
def _aliases_of_module(root: Path, module: str) -> frozenset[str]:
    file = root.joinpath("src", *module.split(".")).with_suffix(".py")
    return _local_aliases(ast.parse(file.read_text(encoding="utf-8"))) if file.is_file() else frozenset()
