"""Where queries are written and where transactions end."""

import ast
from collections.abc import Iterator

from tools.lint.framework import Problem, Rule, Source, name_of

STATEMENTS = frozenset({"select", "insert", "update", "delete", "text"})
SESSION_QUERIES = frozenset({"execute", "scalar", "scalars", "stream", "stream_scalars", "get", "get_one", "refresh"})
QUERY_PLACES = (
    "*/repository", "*/models", "migrations", "testing",
    "core/db", "core/events", "core/idempotency", "core/workflows", "core/dispatcher", "core/schema", "core/leases",
    "core/postgres",
)  # fmt: skip
# A git repository has commits too; everything else that is called `.commit(` ends a transaction.
GIT_RECEIVERS = frozenset(
    {"git", "host", "repo", "repository", "clone", "checkout", "workspace", "worktree", "working_copy"}
)


class Queries(Rule):
    """SQLAlchemy statements, and sessions asked for rows, outside repositories."""

    name = "queries"
    code = "RB101"
    description = "queries are written in repositories, models, core's database modules and migrations"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in(*QUERY_PLACES):
            return
        statements, modules = _sqlalchemy_names(source)
        for node, scope in source.nodes:
            if not isinstance(node, ast.Call):
                continue
            if _is_statement(node.func, statements, modules):
                yield self.problem(
                    source, node, f"{name_of(node)}() belongs in the repository of this domain", scope=scope
                )
            elif _is_session_query(node.func):
                yield self.problem(
                    source, node, f"the session is asked .{name_of(node)}() outside a repository", scope=scope
                )


def _sqlalchemy_names(source: Source) -> tuple[set[str], set[str]]:
    """Return the local names of statement functions, and those of SQLAlchemy's modules."""
    statements: set[str] = set()
    modules: set[str] = set()
    for node, _ in source.nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            for alias in node.names:
                target = statements if alias.name in STATEMENTS else modules
                target.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            modules.update(
                alias.asname or alias.name.split(".")[0]
                for alias in node.names
                if alias.name.split(".")[0] == "sqlalchemy"
            )
    return statements, modules


def _is_statement(function: ast.expr, statements: set[str], modules: set[str]) -> bool:
    if isinstance(function, ast.Name):
        return function.id in statements
    if isinstance(function, ast.Attribute) and function.attr in STATEMENTS:
        owner: ast.expr = function.value
        while isinstance(owner, ast.Attribute):
            owner = owner.value
        return isinstance(owner, ast.Name) and owner.id in modules
    return False


def _is_session_query(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in SESSION_QUERIES
        and name_of(function.value).removeprefix("_") in ("session", "read_session", "write_session")
        and not isinstance(function.value, ast.Call)
    )


class Commits(Rule):
    """Transactions ended anywhere but at the edge."""

    name = "commits"
    code = "RB102"
    description = "only core ends a transaction: one request or step is one transaction"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in("core", "testing"):
            return
        for node, scope in source.nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "commit"
                and name_of(node.func.value).removeprefix("_") not in GIT_RECEIVERS
            ):
                yield self.problem(
                    source, node, ".commit() is called; the transaction is committed at its edge", scope=scope
                )


class Locks(Rule):
    """Rows locked by a query that gives what the session read of them before it waited."""

    name = "locks"
    code = "RB103"
    description = "rows are locked with `core.db.locking`, which reads them anew"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_python or not source.parts or source.is_in("core/db"):
            return
        for node, scope in source.nodes:
            if isinstance(node, ast.Call) and name_of(node) == "with_for_update":
                yield self.problem(source, node, "with_for_update() is called; use core.db.locking", scope=scope)
