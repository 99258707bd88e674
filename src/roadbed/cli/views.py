"""`roadbed views`, and how other commands find a view by its name."""

from typing import Annotated, Any
from urllib.parse import parse_qs

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client

app = typer.Typer(add_completion=False)

DEFAULT_LIMIT = 100
_MOST = 10_000
COLUMNS = [("Name", "name"), ("Shows", "query"), ("Shared with", "shared_with"), ("Owner", "owner"), ("Id", "id")]


@app.command()
def views(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = DEFAULT_LIMIT,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List your own views of the catalog, and those that are shared with you.

    Example: roadbed views
    Example: roadbed get all --view "Services of ours"
    """
    with connect(url) as client:
        show(list(client.pages("/views", limit=limit)), output, columns=COLUMNS, name="name")


def read_view(client: Client, wanted: str) -> dict[str, list[str]]:
    """Return what a view asks for, found by name or id: your own first, then the one that is shared with you."""
    found = [view for view in client.pages("/views", limit=_MOST) if _is_meant(view, wanted)]
    chosen = [view for view in found if view["is_own"]] or found
    if len(chosen) == 1:
        return parse_qs(chosen[0]["query"])
    hint = "`roadbed views` lists them; an id does as well."
    problem = f"there are {len(chosen)} views {wanted!r}" if chosen else f"there is no view {wanted!r}"
    raise typer.BadParameter(f"{problem}; {hint}", param_hint="--view")


def _is_meant(view: dict[str, Any], wanted: str) -> bool:
    return bool(view["id"] == wanted or view["name"].casefold() == wanted.casefold())
