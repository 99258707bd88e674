"""`roadbed schema`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)

COLUMNS = [("Kind", "name"), ("Description", "description")]


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="Left out: all kinds are listed.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of a kind's entities, for editors and checks elsewhere.

    Example: roadbed schema component > component.schema.json
    """
    with connect(url) as client:
        if kind is None:
            show(client.get("/kinds")["items"], output, columns=COLUMNS, name="name")
        else:
            wanted = Format.YAML if output is Format.YAML else Format.JSON  # a schema is no table
            show(client.get(f"/kinds/{kind}/schema"), wanted, columns=[])
