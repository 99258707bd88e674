"""`roadbed get`."""

import sys
from typing import Annotated

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect, entity_path

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
    owner: Annotated[str | None, typer.Option(help="Only what this group or user owns.")] = None,
    entity_type: Annotated[str | None, typer.Option("--type", help="Only this spec.type.")] = None,
    lifecycle: Annotated[str | None, typer.Option(help="Only this spec.lifecycle.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="Words in name, title, description or tags.")] = "",
    as_of: Annotated[str | None, typer.Option(help="As it was at a time: 2026-11-19, or 2026-11-19T14:30Z.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; 100, or all as csv and ndjson.")] = None,
    columns: Annotated[str | None, typer.Option(help="Of the csv: ref,owner,spec:tier.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List the entities of a kind, or show one. `all` lists every kind.

    Example: roadbed get component --owner team-checkout
    Example: roadbed get component:default/orders -o yaml
    Example: roadbed get all -o csv --columns ref,owner,annotation:pagerduty.com/service-id > catalog.csv
    """
    kind, colon, rest = what.partition(":")
    if colon and not rest.rpartition("/")[2]:
        raise typer.BadParameter(f"{what!r} names no entity; `roadbed get {kind}` lists them.", param_hint="KIND")
    wanted = {
        "kind": None if kind == "all" else kind,
        "owner": owner,
        "type": entity_type,
        "lifecycle": lifecycle,
        "q": query or None,
        "as_of": as_of,
    }
    with connect(url) as client:
        if rest:
            show(client.get(entity_path(what), as_of=as_of), output, columns=COLUMNS, name="ref")
        elif output in (Format.CSV, Format.NDJSON):
            export = {"format": output.value, "columns": columns, "limit": limit}
            for piece in client.pieces("/entities/export", **export, **wanted):
                sys.stdout.write(piece)
        else:
            found = client.pages("/entities", limit=limit or DEFAULT_LIMIT, **wanted)
            show(list(found), output, columns=COLUMNS, name="ref")
