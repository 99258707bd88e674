"""`roadbed runs`: see, follow and steer runs."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, console, print_plain, progress_to, show
from roadbed.cli.session import Output, Url, connect, id_argument
from roadbed.client import Client

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See, follow and steer runs.")

RunId = Annotated[str, id_argument("run", listed_by="roadbed runs list")]
COLUMNS = [("Id", "id"), ("Run", "title"), ("State", "state"), ("Started by", "initiator"), ("Created", "created_at")]
STEP_COLUMNS = [("Step", "key"), ("Title", "title"), ("State", "state"), ("Note", "note"), ("Error", "error.message")]
APPROVAL_STEP = "approve"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@app.command("list")
def list_runs(
    state: Annotated[list[str] | None, typer.Option(help="Only runs in this state; may be repeated.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only runs of this kind.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only runs about this subject.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List runs, newest first.

    Example: roadbed runs list --state failed
    """
    with connect(url) as client:
        found = list(client.pages("/runs", limit=limit, state=state or None, kind=kind, subject=subject))
    show(found, output, columns=COLUMNS)


@app.command("show")
def show_run(run_id: RunId, output: Output = Format.TABLE, url: Url = None) -> None:
    """Show one run with its steps.

    Example: roadbed runs show 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        run = client.get(f"/runs/{run_id}")
    if output is not Format.TABLE:
        show(run, output, columns=[])
        return
    console.print(f"[bold]{run['title']}[/]  {run['state']}")
    if run["error"]:
        console.print(f"[red]{run['error']['message']}[/]")
    show(run["steps"], output, columns=STEP_COLUMNS)


@app.command()
def follow(run_id: RunId, url: Url = None) -> None:
    """Print a run's log as it comes, until it ends. The exit code tells how: 0 done, 1 failed or cancelled.

    Example: roadbed runs follow 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        run = follow_run(client, run_id)
    raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)


@app.command()
def log(
    run_id: RunId,
    step: Annotated[str, typer.Argument(help="The step's key.")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Print the whole log of one step, without colours.

    Example: roadbed runs log 01a20a58-9ccd-734d-b6d3-08a868fee990 pipeline
    """
    with connect(url) as client:
        lines = _read_log(client, f"/runs/{run_id}/steps/{step}/log")
        if output is not Format.TABLE:
            show(list(lines), output, columns=[], name="number")
            return
        for line in lines:
            print_plain(_ESCAPES.sub("", line["text"]))


def _read_log(client: Client, path: str) -> Iterator[dict[str, Any]]:
    first_line = 1
    while lines := client.get(path, first_line=first_line, limit=5000)["lines"]:
        yield from lines
        first_line = lines[-1]["number"] + 1


@app.command()
def cancel(
    run_id: RunId,
    undo: Annotated[bool, typer.Option("--undo", help="Also take back what the run made.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Stop a run and the runs it started.

    Example: roadbed runs cancel 01a20a58-9ccd-734d-b6d3-08a868fee990 --undo
    """
    with connect(url) as client:
        show(client.post(f"/runs/{run_id}/cancel", {"undo": undo}), output, columns=COLUMNS)


@app.command()
def retry(run_id: RunId, output: Output = Format.TABLE, url: Url = None) -> None:
    """Take a failed run up again at the step that failed.

    Example: roadbed runs retry 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        show(client.post(f"/runs/{run_id}/retry"), output, columns=COLUMNS)


def clean(text: str) -> str:
    """Return a line of a log as it is printed: colours only go to a terminal."""
    return text if console.is_terminal else _ESCAPES.sub("", text)


def follow_run(
    client: Client,
    run_id: str,
    *,
    tell: Callable[[str], None] = progress_to(Format.TABLE),  # noqa: B008 - the same for all
    has_log: bool = True,
    is_patient: bool = True,
) -> dict[str, Any]:
    """Print steps, and log lines if wanted, as they come; return the run at its end.

    One that is not patient returns as soon as the run waits for an approval.
    """
    states: dict[str, str] = {}
    for name, data in client.events(f"/runs/{run_id}/events"):
        if name == "line" and has_log:
            tell(f"  {clean(data['text'])}")
        elif name == "step" and states.get(data["id"]) != data["state"]:
            states[data["id"]] = data["state"]
            if data["state"] != "pending":
                note = f"  {data['note']}" if data["note"] else ""
                tell(f"{data['title']}: {data['state']}{note}")
            if not is_patient and data["key"] == APPROVAL_STEP and data["state"] == "waiting":
                break
    run: dict[str, Any] = client.get(f"/runs/{run_id}")
    if run["error"]:
        tell(f"{run['title']} failed: {run['error']['message']}")
    return run
