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
    results = []
    with connect(url) as client:
        for file in files:
            content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            results.extend(client.send_yaml("/entities", content)["items"])
    rows = [{"ref": row["ref"], "change": row["change"] or "unchanged"} for row in results]
    show(rows, output, columns=[("Entity", "ref"), ("Change", "change")], name="ref")
