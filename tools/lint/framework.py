"""Sources, rules and problems: what `tools.lint` walks, asks and prints."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tools.lint.exceptions import FILE, RuleException

FOLDERS = ("src", "tests", "tools", "bench")
SUFFIXES = (".py", ".html", ".jinja", ".svg")
SKIPPED = frozenset({"node_modules", "__pycache__", "skeleton", "vendor", "bundled", "fixtures", "paths"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Problem:
    """A place that breaks a rule. `scope` is the function or class around it, empty at the top of a file."""

    code: str
    rule: str
    path: str
    line: int
    message: str
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Source:
    """One file of the tree.

    Args:
        root: the repository.
        path: the file, relative to the root, with forward slashes.
        text: its content.
    """

    root: Path
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Its place inside the package (`("catalog", "service.py")`), empty outside src/roadbed."""
        parts = tuple(self.path.split("/"))
        return parts[2:] if parts[:2] == ("src", "roadbed") else ()

    @cached_property
    def nodes(self) -> tuple[tuple[ast.AST, str], ...]:
        """Each node of the tree with its scope: the dotted names of the functions and classes around it."""
        return tuple(_walk(self.tree))

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def is_template(self) -> bool:
        return not self.is_python and "templates" in self.path.split("/")

    @property
    def is_migration(self) -> bool:
        return self.parts[:2] == ("migrations", "versions")

    def is_in(self, *places: str) -> bool:
        """Tell whether the file is one of `places` inside the package: a folder, or a module with or without one.

        "core/db" stands for core/db.py and everything in core/db/; "*/models" for that of each domain.
        """
        return any(self._is_at(place.split("/")) for place in places)

    def _is_at(self, place: Sequence[str]) -> bool:
        own = [part.removesuffix(".py") for part in self.parts]
        return len(own) >= len(place) and all(want in ("*", has) for want, has in zip(place, own, strict=False))


class Rule(ABC):
    """One thing that the design demands.

    `name` is what exceptions and messages call it, `code` is its stable short form, `description` one line for people.
    """

    name: ClassVar[str]
    code: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
    def check(self, source: Source) -> Iterator[Problem]:
        """Yield what is wrong in one file; nothing for files that the rule is not about."""

    def problem(self, source: Source, where: ast.AST | int, message: str, *, scope: str = "") -> Problem:
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return Problem(self.code, self.name, source.path, line, message, scope)


def _walk(root: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Walk below a node, without the calls of `ast`: a tree of this size has a million nodes."""
    waiting: list[tuple[ast.AST, str]] = [(root, "")]
    while waiting:
        node, scope = waiting.pop()
        if node is not root:
            yield node, scope
        values = (getattr(node, name, None) for name in node._fields)
        children = [
            child
            for value in values
            for child in (value if isinstance(value, list) else (value,))
            if isinstance(child, ast.AST) and not isinstance(child, ast.expr_context)
        ]
        for child in reversed(children):
            inner = scope
            if isinstance(child, Function | ast.ClassDef):
                inner = f"{scope}.{child.name}" if scope else child.name
            waiting.append((child, inner))


def name_of(node: ast.AST) -> str:
    """Return the last name of `a.b.name`, `name` or a call of them; empty for anything else."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def find_sources(root: Path, chosen: Sequence[Path] = ()) -> Iterator[Source]:
    """Yield the files that rules are about.

    Args:
        root: the repository.
        chosen: only files that are one of these, or inside one; all when empty.
    """
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            relative = file.relative_to(root)
            # `paths` at the root holds skeletons; a package of that name inside src is ours.
            skipped = SKIPPED - {"paths", "fixtures"} if folder == "src" else SKIPPED
            if file.suffix not in SUFFIXES or not file.is_file() or skipped.intersection(relative.parts):
                continue
            if chosen and not any(file == path or path in file.parents for path in chosen):
                continue
            yield Source(root, relative.as_posix(), file.read_text(encoding="utf-8"))


def lint(
    sources: Iterable[Source],
    rules: Sequence[Rule],
    exceptions: Sequence[RuleException],
    *,
    is_whole_tree: bool = True,
) -> list[Problem]:
    """Ask every rule about every file and take away what the exceptions cover.

    Args:
        sources: the files.
        rules: the rules.
        exceptions: the allowed breaches.
        is_whole_tree: False when only a part is checked: then an unused exception says nothing.

    Returns:
        The problems, by file and line, with one for each exception that covers nothing.
    """
    problems: list[Problem] = []
    used: set[RuleException] = set()
    for source in sources:
        for rule in rules:
            for problem in rule.check(source):
                covering = [
                    exception
                    for exception in exceptions
                    if exception.covers(rule=problem.rule, path=problem.path, scope=problem.scope)
                ]
                used.update(covering)
                if not covering:
                    problems.append(problem)
    if is_whole_tree:
        problems.extend(_unused(exception) for exception in exceptions if exception not in used)
    return sorted(problems, key=lambda problem: (problem.path, problem.line, problem.code))


def _unused(exception: RuleException) -> Problem:
    place = f"{exception.path} {exception.scope or ''}".strip()
    return Problem(
        "RB000",
        "exceptions",
        f"tools/lint/{FILE}",
        1,
        f"the exception from {exception.rule} for {place} covers nothing any more; delete it",
    )
