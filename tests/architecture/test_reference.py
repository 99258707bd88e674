"""The reference pages name every setting, permission, error, command and make target, as the code has them now."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.reference import (
    FOLDER,
    PAGES_WRITTEN,
    ROOT,
    commands,
    make_targets,
    outdated,
    registry,
    routes,
    setting_names,
)

from roadbed.core.access import PERMISSIONS

SOURCE = ROOT / "src" / "roadbed"
DECLARATIONS = ("requires.", "signed_in.", "anonymous.")


def headings(page: str) -> set[str]:
    return set(re.findall(r"(?m)^#{2,4} (.+)$", (FOLDER / page).read_text(encoding="utf-8")))


def trees(pattern: str) -> Iterator[tuple[Path, ast.Module]]:
    """Parse each file whose text has a pattern: what is looked for stands in few, and parsing takes time."""
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if re.search(pattern, text):
            yield file, ast.parse(text)


def permissions_in_code() -> set[str]:
    """The first argument of each `Permission(…)` in the source."""
    return {
        node.args[0].value
        for _, tree in trees(r"\bPermission\(")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Permission"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def error_codes_in_code() -> set[str]:
    """Each `code = "…"` in the body of a class, and each `code="…"` of a call in a file of errors."""
    found: set[str] = set()
    for file, tree in trees(r"\bcode\b.*="):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found.update(filter(None, map(_code_of, node.body)))
            elif isinstance(node, ast.Call) and file.stem == "errors":
                found.update(_texts(keyword.value for keyword in node.keywords if keyword.arg == "code"))
    return found


def _code_of(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return None
    is_code = any(isinstance(target, ast.Name) and target.id == "code" for target in targets)
    return next(iter(_texts([statement.value])), None) if is_code else None


def _texts(values: object) -> list[str]:
    assert isinstance(values, (list, Iterator))
    return [item.value for item in values if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def test_reference_pages_say_what_the_code_says() -> None:
    assert outdated() == [], "run make docs"


@pytest.mark.parametrize("page", sorted(PAGES_WRITTEN))
def test_reference_page_is_the_same_each_time_it_is_written(page: str) -> None:
    assert PAGES_WRITTEN[page]() == PAGES_WRITTEN[page]()


def test_every_setting_has_a_heading() -> None:
    names = setting_names()
    assert "ROADBED_DATABASE__URL" in names
    assert set(names) <= headings("configuration.md")


def test_every_permission_has_a_heading() -> None:
    found = permissions_in_code()
    assert "catalog.entity.read" in found
    assert found <= headings("permissions.md")


def test_every_permission_is_in_a_manifest() -> None:
    assert {permission.name for permission in registry().get(PERMISSIONS)} == permissions_in_code()


def test_every_error_code_has_a_heading() -> None:
    found = error_codes_in_code()
    assert "not_found" in found
    assert found <= headings("errors.md")


def test_every_command_has_a_heading_and_says_what_it_does() -> None:
    found = commands()
    assert "roadbed up" in {name for name, _ in found}
    assert {name for name, _ in found} <= headings("cli.md")
    assert [name for name, command in found if not command.help] == []


def test_every_command_has_an_example() -> None:
    assert [name for name, command in commands() if "Example: " not in (command.help or "")] == []


def test_every_command_that_tells_something_tells_it_to_scripts_too() -> None:
    """`up` and `runs follow` print as long as they run, `login` speaks to a person, `docs open` prints an address."""
    without = [name for name, command in commands() if "output" not in {param.name for param in command.params}]
    assert without == ["roadbed up", "roadbed login", "roadbed docs open", "roadbed runs follow"]


def test_every_make_target_has_a_heading_and_there_are_few() -> None:
    targets = [target for target, _ in make_targets()]
    assert {"run", "test", "check"} <= set(targets)
    assert len(targets) <= 12
    assert {f"make {target}" for target in targets} <= headings("cli.md")


def test_every_mounted_route_says_who_may_call_it() -> None:
    found = list(routes(registry()))
    assert any(route.path == "/livez" for route in found)
    undeclared = [
        f"{route.method} {route.path} ({route.handler})"
        for route in found
        if not any(call.__qualname__.startswith(DECLARATIONS) for call in route.dependencies)
    ]
    assert undeclared == []


def test_every_page_is_in_the_index() -> None:
    folder = FOLDER.parent
    pages = {str(page.relative_to(folder)) for page in folder.glob("*/*.md") if page.parent.name != "decisions"}
    named = set(re.findall(r"\]\(([\w-]+/[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert named == pages
