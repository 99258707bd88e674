"""`roadbed apply`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, print_plain, show
from roadbed.cli.session import Output, Url, connect
from roadbed.kit.text import plural

app = typer.Typer(add_completion=False)


@app.command()
def apply(
    files: Annotated[
        list[str], typer.Option("--file", "-f", help="A YAML file, or - for standard input; may be repeated.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is wrong, and which entities a changed kind would break.")
    ] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Put the entities of files into the catalog: all of a file, or none of it.

    Example: roadbed apply -f team.yaml
    Example: roadbed apply --dry-run -f runbook-kind.yaml
    """
    contents = [_read(file) for file in files]
    results = []
    with connect(url) as client:
        if dry_run:
            answers = [client.send_yaml("/validate", content) for content in contents]
            raise typer.Exit(show_checks(answers, output))
        for content in contents:
            results.extend(client.send_yaml("/entities", content)["items"])
    rows = [{"ref": row["ref"], "change": row["change"] or "unchanged"} for row in results]
    show(rows, output, columns=[("Entity", "ref"), ("Change", "change")], name="ref")


def show_checks(answers: list[dict[str, Any]], output: Format) -> Exit:
    """Show what the server says to each file; it would be refused when the exit code is not 0."""
    if output is not Format.TABLE:
        show(answers, output, columns=[])
    else:
        for answer in answers:
            _print_check(answer)
    return Exit.OK if all(answer["valid"] for answer in answers) else Exit.FAILED


def _print_check(answer: dict[str, Any]) -> None:
    for problem in answer["problems"]:
        print_plain(
            f"{problem['line']}:{problem['column']}: {problem['severity']}: {problem['reason']} {problem['hint']}"
        )
    for kind in answer["kinds"]:
        count = kind["becoming_invalid"]
        entities = plural(kind["entities"], "entity", "entities")
        print_plain(f"{kind['kind']}: {entities}, {count:,} of them would become invalid")
        for problem in kind["problems"]:
            print_plain(f"  {problem['ref']}: {problem['reason']} {problem['hint']}")
    if answer["valid"]:
        print_plain(f"{plural(len(answer['entities']), 'entity', 'entities')} could be put.")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.", param_hint="--file") from error
