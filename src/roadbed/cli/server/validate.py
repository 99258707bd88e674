"""`roadbed validate`: entity files, checked on this machine with the rules that the server uses."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from roadbed.catalog.rules.declarations import with_declared
from roadbed.catalog.rules.documents import Reading, read_documents
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, Kinds
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.validation import check
from roadbed.cli.output import Exit, Format, console, print_plain, show
from roadbed.cli.session import Output

app = typer.Typer(add_completion=False)


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="YAML files.", exists=True, dir_okay=False)],
    output: Output = Format.TABLE,
) -> None:
    """Check entity files, without a server: one problem a line, exit code 1 when there is one.

    Kinds that the files declare hold for all of them; those that only a server knows do not
    (`roadbed apply --dry-run` asks it).

    Example: roadbed validate catalog-info.yaml
    """
    readings = {file: read_documents(file.read_bytes()) for file in files}
    kinds = with_declared(BUILT_IN_KINDS, (document for reading in readings.values() for document in reading.documents))
    problems = [problem for file, reading in readings.items() for problem in _check(file, reading, kinds)]
    if output is Format.TABLE:
        for problem in problems:
            place = f"{problem.file}:{problem.line}:{problem.column}"
            path = f" {problem.path}:" if problem.path else ""
            hint = f" {problem.hint}" if problem.hint else ""
            print_plain(f"{place}: {problem.severity.value}:{path} {problem.reason}{hint}")
        if not problems:
            console.print(f"{len(files)} file{'s are' if len(files) != 1 else ' is'} valid.")
    else:
        show([vars_of(problem) for problem in problems], output, columns=[], name="reason")
    raise typer.Exit(Exit.FAILED if any(problem.is_error for problem in problems) else Exit.OK)


def vars_of(problem: Problem) -> dict[str, str | int]:
    """Return the JSON of a problem, as the API gives it."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "reason": problem.reason,
        "hint": problem.hint,
        "severity": problem.severity.value,
        "code": problem.code.value,
        "ref": problem.ref,
    }


def _check(file: Path, reading: Reading, kinds: Kinds) -> list[Problem]:
    problems = [*reading.problems, *(problem for document in reading.documents for problem in check(document, kinds))]
    return [replace(problem, file=str(file)) for problem in sorted(problems, key=lambda p: (p.line, p.column))]
