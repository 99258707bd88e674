"""`roadbed apply`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)


@app.command()
def apply(
    files: Annotated[
        list[str], typer.Option("--file", "-f", help="A YAML file, or - for standard input; may be repeated.")
    ],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Put the entities of files into the catalog: all of a file, or none of it.

    Example: roadbed apply -f team.yaml
    """
    contents = [_read(file) for file in files]
    results = []
    with connect(url) as client:
        for content in contents:
            results.extend(client.send_yaml("/entities", content)["items"])
    rows = [{"ref": row["ref"], "change": row["change"] or "unchanged"} for row in results]
    show(rows, output, columns=[("Entity", "ref"), ("Change", "change")], name="ref")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.", param_hint="--file") from error
