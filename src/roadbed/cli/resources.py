"""`roadbed resources`: what services use in their environments, such as databases."""

from typing import Annotated, Any

import typer

from roadbed.cli.create import read_values
from roadbed.cli.output import Exit, Format, console, progress_to, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect, id_argument
from roadbed.client import Client

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Ask for databases and more, see and delete them.")

ResourceId = Annotated[str, id_argument("resource", listed_by="roadbed resources list")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
COLUMNS = [
    ("Id", "id"),
    ("Type", "type"),
    ("Name", "name"),
    ("Class", "class"),
    ("Environment", "environment"),
    ("Application", "application"),
    ("State", "state"),
]
RUN_COLUMNS = [("Run", "title"), ("Id", "run_id")]
OUTPUT_COLUMNS = [("Output", "name"), ("Value", "value")]


@app.command("list")
def list_resources(
    application: Annotated[str | None, typer.Option(help="Only of it: `component:default/orders`.")] = None,
    environment: Annotated[str | None, typer.Option(help="Only in this environment.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List resources, newest first.

    Example: roadbed resources list --environment production
    """
    wanted = {"application": application, "environment": environment, "type": type_}
    with connect(url) as client:
        show(list(client.pages("/resources", limit=limit, **wanted)), output, columns=COLUMNS)


@app.command("show")
def show_resource(resource_id: ResourceId, output: Output = Format.TABLE, url: Url = None) -> None:
    """Show one resource with its outputs; secret ones are references.

    Example: roadbed resources show 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        found = client.get(f"/resources/{resource_id}")
    if output is not Format.TABLE:
        show(found, output, columns=[])
        return
    console.print(f"[bold]{found['type']} {found['name']}[/]  {found['state']}")
    where = f"{found['application']} in {found['environment']}"
    console.print(f"{where}, class {found['class']}, from {found['definition']} {found['definition_version']}")
    if found["error"]:
        console.print(f"[red]{found['error']['message']}[/]")
    values = [{"name": name, "value": value} for name, value in sorted(found["outputs"].items())]
    show(values, output, columns=OUTPUT_COLUMNS, name="name")


@app.command()
def request(
    type_: Annotated[str, typer.Argument(help="A resource type.", metavar="TYPE")],
    application: Annotated[str, typer.Option(help="What it is for: `component:orders`.")],
    environment: Annotated[str, typer.Option(help="Where.")] = "development",
    id_: Annotated[str, typer.Option("--id", help="Its name there, as in the Score file.")] = "db",
    class_: Annotated[str | None, typer.Option("--class", help="Of the type.", show_default=False)] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the type; may be repeated.", metavar="KEY=VALUE")
    ] = None,
    wait: Wait = False,
    key: Annotated[str, typer.Option(help="Ask once only: the same key gives the same run.")] = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Ask for a resource. What the environment has already is brought to what is asked.

    Example: roadbed resources request postgres --application component:orders --class small --wait
    """
    with connect(url) as client:
        body: dict[str, Any] = {"application": application, "environment": environment, "type": type_, "id": id_}
        body |= {"class": class_} if class_ else {}
        if values:
            entity = client.get(f"/entities/resourcetype/default/{type_}")
            body["params"] = read_values([entity["spec"]["parameters"]], values)
        started = client.post("/resources", body, key=key)
        _finish(client, started, output, is_waiting=wait)


@app.command()
def delete(resource_id: ResourceId, wait: Wait = False, output: Output = Format.TABLE, url: Url = None) -> None:
    """Save what a resource holds, then delete it. One that runs in a deployment is not deleted.

    Example: roadbed resources delete 01a20a58-9ccd-734d-b6d3-08a868fee990 --wait
    """
    with connect(url) as client:
        _finish(client, client.delete(f"/resources/{resource_id}"), output, is_waiting=wait)


def _finish(client: Client, started: dict[str, Any], output: Format, *, is_waiting: bool) -> None:
    """Print the run, after its end when that is waited for; the exit code then tells how it ended."""
    if not is_waiting:
        show(started, output, columns=RUN_COLUMNS, name="run_id")
        return
    tell = progress_to(output)
    run = follow_run(client, started["run_id"], tell=tell, has_log=False)
    if output is not Format.TABLE:
        shown = {**started, "state": run["state"], "error": run["error"], "output": run["output"]}
        show(shown, output, columns=[], name="run_id")
    raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)
