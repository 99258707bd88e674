"""`roadbed unfollow`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, say
from roadbed.cli.session import Output, Url, connect, entity_path

app = typer.Typer(add_completion=False)


@app.command()
def unfollow(
    entity: Annotated[str, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="The entity; it may be gone.")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Follow an entity no longer.

    Example: roadbed unfollow component:default/orders
    """
    with connect(url) as client:
        client.delete(f"{entity_path(entity)}/follow")
    say(f"You do not follow {entity} any more.", {"ref": entity}, output, name="ref")
