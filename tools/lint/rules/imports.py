"""What import-linter does not see: imports inside functions, and the doors between domains."""

import ast
from collections.abc import Iterator

from tools.lint.framework import Function, Problem, Rule, Source
from tools.lint.rules.layout import NOT_DOMAINS

# The composition root, the history of tables and the plugin authors' batteries see every domain from inside.
INSIDERS = ("app", "migrations", "testing", "cli", "client")
# Beside its own: the words of errors and settings, which start nothing.
COMMAND_LINE_MAY = ("kit", "client", "cli", "core.errors", "core.settings", "__version__")


class FunctionImports(Rule):
    """Imports inside functions, which hide a dependency from the layers."""

    name = "function-imports"
    code = "RB401"
    description = "imports stand at the top of the file"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python:
            return
        around, its_scope, end = "", "", 0
        for node, scope in source.nodes:  # in the order of lines
            if isinstance(node, Function) and node.lineno > end:
                around, its_scope, end = node.name, scope, node.end_lineno or 0
            elif isinstance(node, ast.Import | ast.ImportFrom) and node.lineno <= end:
                yield self.problem(
                    source, node, f"`{ast.unparse(node)}` is inside {around}; move it to the top", scope=its_scope
                )


class DomainImports(Rule):
    """One domain reaching into another past its contract."""

    name = "domain-imports"
    code = "RB402"
    description = "across domains only the contract is imported"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in(*INSIDERS):
            return
        own = source.parts[0].removesuffix(".py")
        for node, scope in source.nodes:
            for target in _imported(node, source):
                domain, *rest = target.split(".")[1:] or [""]
                if domain in ("", own) or domain in NOT_DOMAINS or rest[:1] == ["contract"]:
                    continue
                yield self.problem(
                    source, node, f"{target} is inside another domain; import roadbed.{domain}.contract", scope=scope
                )


class CommandLineImports(Rule):
    """Server code in the client or the command line."""

    name = "command-line-imports"
    code = "RB403"
    description = "client and cli import no server code; cli.server alone starts the app"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.is_in("client", "cli") or source.is_in("cli/server"):
            return
        for node, scope in source.nodes:
            for target in _imported(node, source):
                inner = target.removeprefix("roadbed").removeprefix(".")
                if inner and not any(inner == may or inner.startswith(f"{may}.") for may in COMMAND_LINE_MAY):
                    yield self.problem(
                        source, node, f"{target} is server code; go over the REST API, or into cli/server", scope=scope
                    )


def _imported(node: ast.AST, source: Source) -> Iterator[str]:
    """Yield what a statement imports from Roadbed, in full: `roadbed.catalog.service.create`."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, source)
        names = [f"{module}.{alias.name}" for alias in node.names]
    else:
        return
    yield from (name for name in names if name == "roadbed" or name.startswith("roadbed."))


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    package = ["roadbed", *source.parts[:-1]]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])
