"""`roadbed logs`."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, errors, fail, print_plain, show
from roadbed.cli.runs import clean
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client

app = typer.Typer(add_completion=False)

_FOUND = 100


@app.command()
def logs(
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Its name.")],
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it runs.")],
    application: Annotated[
        str | None, typer.Option("--application", "-a", help="Needed where several have such a workload.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing, over restarts and deployments.")] = (
        False
    ),
    tail: Annotated[int, typer.Option(min=0, max=5000, help="So many of the last lines.")] = 100,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Print the last lines that a workload printed, or follow them. Where nothing runs, those of the last attempt.

    Example: roadbed logs orders --environment production --follow
    """
    with connect(url) as client:
        found = find_workload(client, workload, environment=environment, application=application)
        place = f"/environments/{found['application_name']}/{environment}/workloads/{workload}/logs"
        if follow:
            follow_lines(client, f"{place}/events?tail={tail}")
            return
        # the API gives at least one line
        page = client.get(place, limit=max(1, tail))
    lines = page["lines"] if tail else []
    if output is not Format.TABLE:
        show({**page, "lines": lines}, output, columns=[], name="instance_id")
        return
    if page["lost_bytes"]:
        errors.print(f"{page['lost_bytes']} bytes before these lines are not kept.")
    for line in lines:
        print_plain(clean(line))


def find_workload(client: Client, name: str, *, environment: str, application: str | None) -> dict[str, Any]:
    """Return the one workload of that name in an environment, or end and say what there is."""
    query = {"name": name, "environment": environment, "application": application}
    found: list[dict[str, Any]] = list(client.pages("/workloads", limit=_FOUND, **query))
    if len(found) == 1:
        return found[0]
    of = f" of {application}" if application else ""
    if not found:
        fail(f"There is no workload {name!r} in {environment}{of}.", hint="`roadbed env list` shows what runs where.")
        raise typer.Exit(Exit.NOT_FOUND)
    names = ", ".join(sorted(one["application_name"] for one in found))
    fail(f"Several applications have a workload {name!r} in {environment}: {names}.", hint="Name one: --application.")
    raise typer.Exit(Exit.USAGE)


def follow_lines(client: Client, path: str) -> None:
    """Print lines as they come, until the workload is gone. What a broken stream sends again is left out."""
    last_number = 0
    for name, data in client.events(path):
        if name == "line" and data["number"] > last_number:
            last_number = data["number"]
            print_plain(clean(data["text"]), is_flushed=True)
