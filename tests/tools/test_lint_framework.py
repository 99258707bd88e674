"""The list of exceptions, the walk over the tree and the command line of the lint rules."""

import subprocess
import sys
from pathlib import Path

import pytest
from tools.lint.exceptions import ExceptionsError, RuleException, read_exceptions
from tools.lint.framework import Source, find_sources, lint
from tools.lint.rules import RULES

REPOSITORY = Path(__file__).resolve().parents[2]
COMMIT = "class Service:\n    async def save(self, session):\n        await session.commit()\n"
PATH = "src/roadbed/catalog/service.py"


def source(text: str = COMMIT) -> Source:
    return Source(REPOSITORY, PATH, text)


def allow(**changes: str) -> RuleException:
    entry = {"rule": "commits", "path": PATH, "reason": "a good reason for it"}
    return RuleException(**(entry | changes))


def test_problem_names_place_rule_and_next_step() -> None:
    [problem] = lint([source()], RULES, [])
    assert str(problem).startswith(f"{PATH}:3: RB102 .commit() is called; the transaction is committed at its edge")
    assert problem.scope == "Service.save"


@pytest.mark.parametrize("exception", [allow(), allow(scope="Service.save")])
def test_exception_covers_its_file_or_function(exception: RuleException) -> None:
    assert lint([source()], RULES, [exception]) == []


@pytest.mark.parametrize(
    "exception", [allow(scope="Service.load"), allow(rule="queries"), allow(path="src/roadbed/scm/service.py")]
)
def test_exception_for_something_else_covers_nothing_and_is_a_problem(exception: RuleException) -> None:
    problems = lint([source()], RULES, [exception])
    assert {problem.rule for problem in problems} == {"commits", "exceptions"}


def test_unused_exception_says_nothing_when_only_a_part_is_checked() -> None:
    assert lint([source("")], RULES, [allow()], is_whole_tree=False) == []


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('rule = "commits"\npath = "a"\nreason = "because"', "needs a reason"),
        ('rule = "comits"\npath = "a"\nreason = "a good reason for it"', "names no rule"),
        ('rule = "commits"\nreason = "a good reason for it"', "needs rule, path and reason"),
        ('rule = "commits"\npath = "a"\nline = "3"\nreason = "a good reason for it"', "needs rule, path and reason"),
    ],
)
def test_entry_of_the_list_must_be_complete(entry: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "exceptions.toml"
    file.write_text(f"[[exception]]\n{entry}\n")
    with pytest.raises(ExceptionsError, match=fault):
        read_exceptions(file, {"commits"})


def test_walk_leaves_out_skeletons_and_other_peoples_files(tmp_path: Path) -> None:
    for path in ("src/roadbed/a.py", "src/roadbed/paths/skeleton/b.py", "src/roadbed/web/static/vendor/c.html", "d.py"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    assert [found.path for found in find_sources(tmp_path)] == ["src/roadbed/a.py"]


def test_command_ends_with_1_and_names_the_problem(tmp_path: Path) -> None:
    bad = REPOSITORY / "tools" / "lint"
    listed = subprocess.run(
        [sys.executable, "-m", "tools.lint", "--rules"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "RB101  queries" in listed.stdout
    clean = subprocess.run(
        [sys.executable, "-m", "tools.lint", str(bad)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (clean.returncode, clean.stderr) == (0, "")
