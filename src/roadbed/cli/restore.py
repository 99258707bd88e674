"""`roadbed restore`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, say
from roadbed.cli.session import Output, Url, connect, entity_path

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    entity: Annotated[str, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="The entity; it may be gone.")],
    to: Annotated[int, typer.Option("--to", min=1, help="The version, as `roadbed history` lists it.")],
    etag: Annotated[str, typer.Option(help="Only while the entity is this, as `roadbed get -o json` shows it.")] = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Make an entity that was put over the API what it was in an earlier version, also one that was deleted.

    Example: roadbed restore component:default/orders --to 1042
    """
    with connect(url) as client:
        done = client.post(f"{entity_path(entity)}/restore", {"position": to}, etag=etag)
    sentence = f"{done['ref']} is version {to} again." if done["change"] else f"{done['ref']} was version {to} already."
    say(sentence, done, output, name="ref")
