"""`roadbed deploy`, and how the start of a deployment is shown and awaited."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, progress_to, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client

app = typer.Typer(add_completion=False)

COLUMNS = [
    ("Deployment", "id"),
    ("Component", "component"),
    ("Version", "version"),
    ("Environment", "environment"),
    ("State", "state"),
    ("Run", "run_id"),
]

Wait = Annotated[bool, typer.Option("--wait", help="Wait until it runs, has failed, or waits for an approval.")]
Key = Annotated[str, typer.Option(help="Start it once only: the same key gives the same deployment.")]
Component = Annotated[
    str | None, typer.Option(help="Which component; may be left out where the application has one only.")
]


@app.command()
def deploy(
    component: Annotated[str, typer.Argument(metavar="COMPONENT", help="Its name or ref.")],
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where to.")],
    version: Annotated[str | None, typer.Option(help="The newest of this version.")] = None,
    commit: Annotated[str | None, typer.Option(help="What was made from this commit, or its beginning.")] = None,
    artifact: Annotated[str | None, typer.Option(help="The artifact of this digest.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="What runs in this environment.")] = None,
    wait: Wait = False,
    key: Key = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Deploy a component; without a version, commit, artifact or environment to take it from, its newest artifact.

    Example: roadbed deploy orders --environment staging --version 3.4.0 --wait
    """
    body = {
        "component": component,
        "environment": environment,
        "version": version,
        "commit": commit,
        "artifact": artifact,
        "from_environment": source,
    }
    with connect(url) as client:
        started = client.post("/deployments", {name: value for name, value in body.items() if value}, key=key)
        finish(client, started, is_awaited=wait, output=output)


def finish(client: Client, deployment: dict[str, Any], *, is_awaited: bool, output: Format) -> None:
    """Show a deployment that was started, at its end if that is awaited, and end with the exit code for it."""
    run = await_run(client, deployment["run_id"], output=output) if is_awaited else None
    if run is not None:
        deployment = client.get(f"/deployments/{deployment['id']}")
    show(deployment, output, columns=COLUMNS)
    raise typer.Exit(Exit.OK if run is None else exit_of(run))


def await_run(client: Client, run_id: str, *, output: Format) -> dict[str, Any]:
    """Tell the steps of a run until it ends, or waits for an approval."""
    return follow_run(client, run_id, tell=progress_to(output), has_log=False, is_patient=False)


def exit_of(run: dict[str, Any]) -> Exit:
    if run["state"] == "succeeded":
        return Exit.OK
    return Exit.WAITING if run["state"] == "waiting" else Exit.FAILED
