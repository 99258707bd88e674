"""`roadbed changes`: change requests of a repository, from the shell in which the change was made."""

import time
from typing import Annotated, Any

import typer

from roadbed.cli.output import Format, console, errors, show
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Open, see, approve and merge change requests.")

Repository = Annotated[str, typer.Argument(help="Owner and name: `team-checkout/hello`.", metavar="REPOSITORY")]
Number = Annotated[int, typer.Argument(help="Of the change request.", metavar="NUMBER")]
COLUMNS = [
    ("Number", "number"),
    ("Title", "title"),
    ("State", "state"),
    ("From", "source_branch"),
    ("Into", "target_branch"),
    ("Author", "author"),
]
CHECK_COLUMNS = [("Check", "context"), ("State", "state"), ("Says", "description")]
POLL_SECONDS = 1.0


@app.command("list")
def list_changes(
    repository: Repository,
    state: Annotated[str | None, typer.Option(help="Only in this state: open, merged or closed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List change requests, newest first.

    Example: roadbed changes list team-checkout/hello --state open
    """
    with connect(url) as client:
        found = list(client.pages(_path(repository), limit=limit, state=state))
    show(found, output, columns=COLUMNS, name="number")


@app.command("show")
def show_change(repository: Repository, number: Number, output: Output = Format.TABLE, url: Url = None) -> None:
    """Show a change request: its checks, its files, and what keeps it from being merged.

    Example: roadbed changes show team-checkout/hello 1
    """
    with connect(url) as client:
        found = client.get(f"{_path(repository)}/{number}")
    if output is not Format.TABLE:
        show(found, output, columns=[], name="number")
        return
    console.print(f"{found['title']}  {found['state']}", markup=False)
    console.print(f"{found['source_branch']} into {found['target_branch']}, by {found['author']}", markup=False)
    for file in found["files"]:
        console.print(f"  {file['path']}  +{file['added']} -{file['removed']}", markup=False)
    for block in found["blocks"]:
        console.print(f"  {block}", markup=False)
    show(found["checks"], output, columns=CHECK_COLUMNS, name="context")


@app.command("open")
def open_change(
    repository: Repository,
    source: Annotated[str, typer.Option("--from", help="The branch with the change.", metavar="BRANCH")],
    title: Annotated[str, typer.Option(help="What it does, in a line.")],
    into: Annotated[str | None, typer.Option(help="The default branch unless given.", metavar="BRANCH")] = None,
    description: Annotated[str, typer.Option(help="Markdown.")] = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Ask for the commits of a branch to be brought into another.

    Example: roadbed changes open team-checkout/hello --from say-good-day --title "Say good day"
    """
    body = {"source_branch": source, "target_branch": into, "title": title, "description": description}
    with connect(url) as client:
        show(client.post(_path(repository), body), output, columns=COLUMNS, name="number")


@app.command()
def approve(repository: Repository, number: Number, output: Output = Format.TABLE, url: Url = None) -> None:
    """Approve the newest commit of a change request.

    Example: roadbed changes approve team-checkout/hello 1
    """
    with connect(url) as client:
        show(client.post(f"{_path(repository)}/{number}/approve"), output, columns=COLUMNS, name="number")


@app.command()
def merge(
    repository: Repository,
    number: Number,
    method: Annotated[str, typer.Option(help="merge keeps the commits, squash makes one of them.")] = "merge",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its checks first.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Merge a change request whose checks pass and which has its approvals.

    Example: roadbed changes merge team-checkout/hello 1 --wait
    """
    with connect(url) as client:
        if wait:
            _wait_for_checks(client, repository, number)
        merged = client.post(f"{_path(repository)}/{number}/merge", {"method": method})
    show(merged, output, columns=COLUMNS, name="number")


@app.command()
def close(repository: Repository, number: Number, output: Output = Format.TABLE, url: Url = None) -> None:
    """Close a change request without merging it.

    Example: roadbed changes close team-checkout/hello 1
    """
    with connect(url) as client:
        show(client.post(f"{_path(repository)}/{number}/close"), output, columns=COLUMNS, name="number")


def _path(repository: str) -> str:
    return f"/repositories/{repository}/change-requests"


def _wait_for_checks(client: Client, repository: str, number: int) -> None:
    """Return when no check is under way and each that a merge needs has said something."""
    required = set(client.get(f"/repositories/{repository}")["required_checks"])
    told = ""
    while waited := _open_checks(client.get(f"{_path(repository)}/{number}"), required):
        if waited != told:
            errors.print(f"Waits for {waited}", markup=False)
            told = waited
        time.sleep(POLL_SECONDS)


def _open_checks(change: dict[str, Any], required: set[str]) -> str:
    if change["state"] != "open":
        return ""
    reported = {check["context"] for check in change["checks"]}
    pending = {check["context"] for check in change["checks"] if check["state"] == "pending"}
    return ", ".join(sorted(pending | (required - reported)))
