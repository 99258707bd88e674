"""`roadbed inventory`."""

from typing import Annotated

import typer

from roadbed.cli.output import Exit, Format, console, errors, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)

COLUMNS = [
    ("Kind", "kind"),
    ("Name", "name"),
    ("Belongs to", "belongs_to"),
    ("Why it is not explained", "reason"),
    ("How to remove it", "hint"),
]


@app.command()
def inventory(
    kind: Annotated[list[str] | None, typer.Option(help="Only of this kind, `process`; may be repeated.")] = None,
    unexplained: Annotated[bool, typer.Option("--unexplained", help="Only what belongs to nothing.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 5000,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List everything that exists outside the database and what it belongs to; exit code 1 when that is not known.

    Example: roadbed inventory --unexplained
    """
    with connect(url) as client:
        found = client.get("/inventory", kind=kind or None, unexplained=unexplained, limit=limit)
    count = found["unexplained_count"]
    if output is not Format.TABLE:
        show(found if output is not Format.NAME else found["items"], output, columns=[], name="name")
    elif found["items"]:
        show(found["items"], output, columns=COLUMNS, name="name")
    else:
        console.print("Nothing is unexplained." if unexplained else "Nothing found.")
    if found["total_count"] > len(found["items"]):
        errors.print(f"{found['total_count'] - len(found['items'])} more are not shown; raise --limit.")
    if count:
        errors.print(f"{count} of {found['total_count']} belong to nothing.")
    raise typer.Exit(Exit.FAILED if count else Exit.OK)
