"""`roadbed follow`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, say, show
from roadbed.cli.session import Output, Url, connect, entity_path

app = typer.Typer(add_completion=False)

COLUMNS = [("Entity", "ref"), ("Title", "title"), ("Is there", "found"), ("Since", "at")]
_MOST = 1_000


@app.command()
def follow(
    entity: Annotated[
        str | None, typer.Argument(metavar="[KIND:[NAMESPACE/]NAME]", help="The entity; without, what you follow.")
    ] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Follow an entity: what happens to it is told on your Home. Without one, list what you follow.

    Example: roadbed follow component:default/orders
    Example: roadbed follow -o name
    """
    with connect(url) as client:
        if entity is None:
            show(list(client.pages("/follows", limit=_MOST)), output, columns=COLUMNS, name="ref")
            return
        client.request("PUT", f"{entity_path(entity)}/follow")
    say(f"You follow {entity}.", {"ref": entity}, output, name="ref")
