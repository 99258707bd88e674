"""`roadbed approvals`: see what waits for a decision, and decide."""

from typing import Annotated

import typer

from roadbed.cli.output import Format, show
from roadbed.cli.session import Output, Url, connect, id_argument

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See what waits for a decision, and decide.")

ApprovalId = Annotated[str, id_argument("approval", listed_by="roadbed approvals list")]
Comment = Annotated[str, typer.Option("--comment", "-m", help="Why; kept in the audit record.")]
COLUMNS = [
    ("Id", "id"),
    ("Decision", "title"),
    ("State", "state"),
    ("Asked by", "asked_by"),
    ("Expires", "expires_at"),
    ("Decided by", "decided_by"),
]


@app.command("list")
def list_approvals(
    mine: Annotated[bool, typer.Option("--mine", help="Only what you could decide now.")] = False,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this subject.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List approvals, newest first.

    Example: roadbed approvals list --mine
    """
    with connect(url) as client:
        found = list(client.pages("/approvals", limit=limit, mine=mine or None, state=state or None, subject=subject))
    show(found, output, columns=COLUMNS)


@app.command()
def approve(approval_id: ApprovalId, comment: Comment = "", output: Output = Format.TABLE, url: Url = None) -> None:
    """Approve; the run that waits goes on.

    Example: roadbed approvals approve 01a20a58-9ccd-734d-b6d3-08a868fee990 --comment "Checked on staging"
    """
    with connect(url) as client:
        show(client.post(f"/approvals/{approval_id}/approve", {"comment": comment}), output, columns=COLUMNS)


@app.command()
def reject(approval_id: ApprovalId, comment: Comment = "", output: Output = Format.TABLE, url: Url = None) -> None:
    """Reject; the step that waits fails with the comment.

    Example: roadbed approvals reject 01a20a58-9ccd-734d-b6d3-08a868fee990 --comment "Staging is degraded"
    """
    with connect(url) as client:
        show(client.post(f"/approvals/{approval_id}/reject", {"comment": comment}), output, columns=COLUMNS)
