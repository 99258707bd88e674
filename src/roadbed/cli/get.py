"""`roadbed get`."""

import sys
from typing import Annotated, Any

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect, entity_path
from roadbed.cli.views import read_view
from roadbed.client import Client

app = typer.Typer(add_completion=False)

DEFAULT_LIMIT = 100
COLUMNS = [
    ("Entity", "ref"),
    ("Title", "metadata.title"),
    ("Type", "spec.type"),
    ("Owner", "owner"),
    ("System", "system"),
]


@app.command()
def get(
    what: Annotated[str, typer.Argument(metavar="KIND[:[NAMESPACE/]NAME]", help="A kind, or one entity.")],
    *,
    owner: Annotated[str | None, typer.Option(help="Only what this group or user owns.")] = None,
    entity_type: Annotated[str | None, typer.Option("--type", help="Only this spec.type.")] = None,
    lifecycle: Annotated[str | None, typer.Option(help="Only this spec.lifecycle.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="Words in name, title, description or tags.")] = "",
    as_of: Annotated[str | None, typer.Option(help="As it was at a time: 2026-11-19, or 2026-11-19T14:30Z.")] = None,
    view: Annotated[str | None, typer.Option(help="A saved view: its filters, and its columns as csv.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="By title, name, kind, type, lifecycle, owner, system, health, updated_at; -updated_at."),
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you or a group of yours owns.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; 100, or all as csv and ndjson.")] = None,
    columns: Annotated[str | None, typer.Option(help="Of the csv: ref,owner,spec:tier.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List the entities of a kind, or show one. `all` lists every kind.

    Example: roadbed get component --owner team-checkout
    Example: roadbed get all --mine --sort health
    Example: roadbed get component:default/orders -o yaml
    Example: roadbed get all --view "Services of ours"
    Example: roadbed get all -o csv --columns ref,owner,annotation:pagerduty.com/service-id > catalog.csv
    """
    kind, colon, rest = what.partition(":")
    if colon and not rest.rpartition("/")[2]:
        raise typer.BadParameter(f"{what!r} names no entity; `roadbed get {kind}` lists them.", param_hint="KIND")
    asked = {
        "kind": None if kind == "all" else kind,
        "owner": owner,
        "type": entity_type,
        "lifecycle": lifecycle,
        "q": query or None,
        "as_of": as_of,
        "sort": sort,
        "mine": mine or None,
    }
    with connect(url) as client:
        if rest:
            show(client.get(entity_path(what), as_of=as_of), output, columns=COLUMNS, name="ref")
            return
        wanted: dict[str, Any] = read_view(client, view) if view else {}
        wanted |= {name: value for name, value in {**asked, "columns": columns}.items() if value is not None}
        _list(client, wanted, limit=limit, output=output)


def _list(client: Client, wanted: dict[str, Any], *, limit: int | None, output: Format) -> None:
    if output in (Format.CSV, Format.NDJSON):
        for piece in client.pieces("/entities/export", format=output.value, limit=limit, **wanted):
            sys.stdout.write(piece)
        return
    wanted.pop("columns", None)
    found = client.pages("/entities", limit=limit or DEFAULT_LIMIT, **wanted)
    show(list(found), output, columns=COLUMNS, name="ref")
