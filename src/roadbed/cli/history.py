"""`roadbed history`."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect, entity_path

app = typer.Typer(add_completion=False)

COLUMNS = [
    ("Version", "position"),
    ("When", "at"),
    ("Change", "change"),
    ("Who", "actor"),
    ("Commit", "commit"),
    ("Fields", "fields"),
]
_SHOWN = 3


@app.command()
def history(
    entity: Annotated[str, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="The entity; it may be gone.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List the versions of an entity, newest first: who, when, from which commit, and what changed.

    Example: roadbed history component:default/orders
    """
    with connect(url) as client:
        found = list(client.pages(f"{entity_path(entity)}/history", limit=limit))
    if output is Format.TABLE:
        found = [_shorten(version) for version in found]
    show(found, output, columns=COLUMNS, name="position")


def _shorten(version: dict[str, Any]) -> dict[str, Any]:
    names = [f"{one['sign']}{one['name']}" for one in version["differences"]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    fields = ", ".join(names[:_SHOWN]) + more
    return {**version, "commit": (version["revision"] or "")[:12] or None, "fields": fields or None}
