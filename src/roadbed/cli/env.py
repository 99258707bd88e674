"""`roadbed env`: what runs where, and changing it."""

from typing import Annotated, Any

import typer

from roadbed.cli.deploy import await_run, exit_of
from roadbed.cli.output import Exit, Format, console, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See environments and change what runs in them.")

Application = Annotated[str, typer.Argument(metavar="APPLICATION", help="Its name, as in addresses.")]
Environment = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="`development`, `staging`, `production`.")]
Workload = Annotated[str, typer.Argument(metavar="WORKLOAD", help="Its name.")]

PLACE_COLUMNS = [
    ("Application", "application_name"),
    ("Environment", "environment"),
    ("Workload", "name"),
    ("Version", "version"),
    ("Health", "health"),
    ("Since", "deployed_at"),
]
WORKLOAD_COLUMNS = [
    ("Workload", "name"),
    ("Version", "version"),
    ("Commit", "commit"),
    ("Health", "health"),
    ("Why", "health_summary"),
    ("Address", "url"),
]
DIFFERENCE_COLUMNS = [("Of", "of"), ("", "sign"), ("What", "name"), ("Before", "before"), ("After", "after")]


@app.command("list")
def list_environments(
    application: Annotated[str | None, typer.Option("--application", "-a", help="Only this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many environments.")] = 100,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List environments and what runs in them.

    Example: roadbed env list --application orders
    """
    with connect(url) as client:
        found = list(client.pages("/environments", limit=limit, application=application))
    if output is not Format.TABLE:
        show(found, output, columns=[], name="name")
        return
    rows: list[dict[str, Any]] = []
    for environment in found:
        place = {"application_name": environment["application_name"], "environment": environment["name"]}
        rows.extend({**workload, **place} for workload in environment["workloads"] or [{}])
    show(rows, output, columns=PLACE_COLUMNS, name="application_name")


@app.command("show")
def show_environment(
    application: Application, environment: Environment, output: Output = Format.TABLE, url: Url = None
) -> None:
    """Show what runs in an environment, how it is and where it is reached.

    Example: roadbed env show orders production
    """
    with connect(url) as client:
        found = client.get(f"/environments/{application}/{environment}")
    if output is Format.TABLE and not found["workloads"]:
        console.print(f"Nothing runs in {environment} of {application}.")
        return
    show(found["workloads"] if output is Format.TABLE else found, output, columns=WORKLOAD_COLUMNS, name="name")


@app.command()
def compare(
    application: Application,
    before: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="The one to begin with.")],
    after: Annotated[str, typer.Argument(metavar="OTHER", help="The one to compare it with.")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Tell what differs between two environments: versions, variables, classes of resources. No secret is shown.

    Example: roadbed env compare orders staging production
    """
    with connect(url) as client:
        found = client.get(f"/environments/{application}/{before}/compare/{after}")
    if output is not Format.TABLE:
        show(found, output, columns=[], name="application")
        return
    if found["is_equal"]:
        console.print(f"{before} and {after} of {application} do not differ.")
        return
    rows = [{**line, "of": one["name"]} for one in found["workloads"] for line in one["differences"]]
    rows += [{**line, "of": "resources"} for line in found["resources"]]
    show(rows, output, columns=DIFFERENCE_COLUMNS, name="name")


@app.command()
def restart(
    application: Application,
    environment: Environment,
    workload: Workload,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is ready.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """End the process of a workload and start it anew; one that is stopped is started.

    Example: roadbed env restart orders staging orders --wait
    """
    _steer(f"/environments/{application}/{environment}/workloads/{workload}/restart", wait, output, url)


@app.command()
def stop(
    application: Application,
    environment: Environment,
    workload: Workload,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """End the process of a workload, until it is started or deployed again.

    Example: roadbed env stop orders staging orders
    """
    _steer(f"/environments/{application}/{environment}/workloads/{workload}/stop", wait, output, url)


def _steer(path: str, is_awaited: bool, output: Format, url: str | None) -> None:
    with connect(url) as client:
        started = client.post(path)
        run = await_run(client, started["run_id"], output=output) if is_awaited else None
        show(started, output, columns=[("Run", "run_id"), ("Title", "title")], name="run_id")
    raise typer.Exit(Exit.OK if run is None else exit_of(run))
