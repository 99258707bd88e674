"""`roadbed views`: saved views of the catalog, and how other commands find one by its name."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import parse_qs

import typer

from roadbed.cli.output import Format, say, show
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keep how you look at the catalog.")

DEFAULT_LIMIT = 100
_MOST = 10_000
COLUMNS = [("Name", "name"), ("Shows", "query"), ("Shared with", "shared_with"), ("Owner", "owner"), ("Id", "id")]
_ARGUMENT = "VIEW"

Wanted = Annotated[str, typer.Argument(metavar=_ARGUMENT, help="Its name or id.", show_default=False)]


@app.command("list")
def list_views(
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that you can restore.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = DEFAULT_LIMIT,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List your own views of the catalog, and those that are shared with you.

    Example: roadbed views list
    Example: roadbed get all --view "Services of ours"
    """
    with connect(url) as client:
        show(list(_pages(client, deleted=deleted, limit=limit)), output, columns=COLUMNS, name="name")


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="What it is called.", show_default=False)],
    query: Annotated[str, typer.Option(help="What stands behind the `?` of the list's address.")] = "",
    share: Annotated[str | None, typer.Option(help="`everybody`, or a group that you belong to.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Save a view, for you alone unless it is shared.

    Example: roadbed views save "Services of ours" --query "kind=component&type=service&mine=true"
    """
    with connect(url) as client:
        made = client.post("/views", {"name": name, "query": query, "shared_with": share})
    say(f"Saved. See it with `roadbed get all --view {made['id']}`.", made, output)


@app.command()
def delete(view: Wanted, output: Output = Format.TABLE, url: Url = None) -> None:
    """Delete a view, for everybody with whom it is shared; `roadbed views restore` has it again for 30 days.

    Example: roadbed views delete "Services of ours"
    """
    with connect(url) as client:
        found = find_view(client, view, hint=_ARGUMENT)
        client.delete(f"/views/{found['id']}")
    say(f"Deleted. `roadbed views restore {found['id']}` has it again.", found, output)


@app.command()
def restore(view: Wanted, output: Output = Format.TABLE, url: Url = None) -> None:
    """Have a view again that was deleted, for all who saw it.

    Example: roadbed views restore "Services of ours"
    """
    with connect(url) as client:
        found = find_view(client, view, hint=_ARGUMENT, deleted=True)
        made = client.post(f"/views/{found['id']}/restore")
    say(f"{made['name']} is there again.", made, output)


def read_view(client: Client, wanted: str) -> dict[str, list[str]]:
    """Return what a view asks for."""
    return parse_qs(find_view(client, wanted, hint="--view")["query"])


def find_view(client: Client, wanted: str, *, hint: str, deleted: bool = False) -> dict[str, Any]:
    """Find a view by name or id: your own first, then the one that is shared with you.

    Args:
        client: the server.
        wanted: name or id.
        hint: where the name was given, for the error.
        deleted: look among those that were deleted.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    found: list[dict[str, Any]] = [
        view for view in _pages(client, deleted=deleted, limit=_MOST) if _is_meant(view, wanted)
    ]
    chosen = [view for view in found if view["is_own"]] or found
    if len(chosen) == 1:
        return chosen[0]
    lists = f"`roadbed views list{' --deleted' if deleted else ''}` lists them; an id does as well."
    kind = "deleted view" if deleted else "view"
    problem = f"there are {len(chosen)} {kind}s {wanted!r}" if chosen else f"there is no {kind} {wanted!r}"
    raise typer.BadParameter(f"{problem}; {lists}", param_hint=hint)


def _pages(client: Client, *, deleted: bool, limit: int) -> Iterator[Any]:
    return client.pages("/views", limit=limit, deleted=deleted or None)


def _is_meant(view: dict[str, Any], wanted: str) -> bool:
    return bool(view["id"] == wanted or view["name"].casefold() == wanted.casefold())
