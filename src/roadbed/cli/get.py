"""`roadbed get`."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)

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
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List the entities of a kind, or show one. `all` lists every kind.

    Example: roadbed get component --owner team-checkout
    Example: roadbed get component:default/orders -o yaml
    """
    kind, colon, rest = what.partition(":")
    if colon and not rest.rpartition("/")[2]:
        raise typer.BadParameter(f"{what!r} names no entity; `roadbed get {kind}` lists them.", param_hint="KIND")
    with connect(url) as client:
        if rest:
            namespace, _, name = rest.rpartition("/")
            entity = client.get(f"/entities/{kind}/{namespace or 'default'}/{name}")
            show(entity, output, columns=COLUMNS, name="ref")
            return
        found = client.pages(
            "/entities",
            limit=limit,
            kind=None if kind == "all" else kind,
            owner=owner,
            type=entity_type,
            lifecycle=lifecycle,
            q=query or None,
        )
        show(list(found), output, columns=COLUMNS, name="ref")
