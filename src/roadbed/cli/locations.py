"""`roadbed locations`: where the catalog is read from."""

from typing import Annotated

import typer

from roadbed.cli.output import Exit, Format, say, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect, id_argument

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say where the catalog is read from.")

COLUMNS = [("Id", "id"), ("Type", "type"), ("Target", "target"), ("State", "state"), ("Read", "read_at")]


@app.command("list")
def list_locations(output: Output = Format.TABLE, url: Url = None) -> None:
    """List locations.

    Example: roadbed locations list
    """
    with connect(url) as client:
        show(list(client.pages("/locations", limit=1000)), output, columns=COLUMNS)


@app.command()
def add(
    target: Annotated[str, typer.Argument(help="A path on the server, or a git address.")],
    location_type: Annotated[str, typer.Option("--type", help="`file` or `git`.")] = "file",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is read.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Read a location into the catalog, now and from now on.

    Example: roadbed locations add --wait examples/northmoor/all.yaml
    """
    with connect(url) as client:
        started = client.post("/locations", {"type": location_type, "target": target})
        if wait:
            run = follow_run(client, started["run_id"])
            raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)
        show(started, output, columns=[("Run", "run_id")], name="run_id")


@app.command()
def remove(
    location_id: Annotated[str, id_argument("location", listed_by="roadbed locations list")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Stop reading a location, and remove what was read from it.

    Example: roadbed locations remove 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        client.delete(f"/locations/{location_id}")
    say("The location is removed.", {"id": location_id, "state": "removed"}, output)
