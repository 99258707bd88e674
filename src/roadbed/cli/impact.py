"""`roadbed impact`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, errors, show
from roadbed.cli.session import Output, Url, connect, entity_path

app = typer.Typer(add_completion=False)

COLUMNS = [("Entity", "ref"), ("Steps", "distance"), ("Through", "via"), ("Owner", "owner"), ("Health", "health")]


@app.command()
def impact(
    entity: Annotated[str, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="What might fail.")],
    depth: Annotated[int | None, typer.Option(min=1, help="Most steps; to the end unless given.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List what is affected if an entity fails: what depends on it, directly or through others, nearest first.

    Example: roadbed impact resource:default/orders-db
    """
    with connect(url) as client:
        found = client.get(f"{entity_path(entity)}/impact", depth=depth)
    show([{**item, "distance": -item["steps"]} for item in found["items"]], output, columns=COLUMNS, name="ref")
    if output is Format.TABLE:
        teams = len([owner for owner in found["owners"] if owner["owner"]])
        more = "; there are more" if found["is_cut"] else ""
        errors.print(f"{found['total']} affected, of {teams} owners{more}.", markup=False)
