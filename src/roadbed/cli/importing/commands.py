"""The commands below `roadbed import`."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from roadbed.cli.importing.backstage import Plan, Wish, plan_import
from roadbed.cli.importing.configs import ConfigError, read_configs
from roadbed.cli.importing.credentials import Given, NotTaken
from roadbed.cli.importing.people import MAX_BYTES, PeopleFile, read_people
from roadbed.cli.output import Exit, Format, errors, fail, show
from roadbed.cli.session import Output, Url, connect
from roadbed.client import Client
from roadbed.client.http import ApiError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Take over what another catalog or a list of people has."
)

_AT_ONCE = 500
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command()
def backstage(
    files: Annotated[list[Path], typer.Argument(help="app-config.yaml, and those that go before it.", metavar="FILE…")],
    config: Annotated[list[Path] | None, typer.Option("--config", help="A further file; later ones go first.")] = None,
    secret: Annotated[
        list[str] | None, typer.Option("--secret", help="HOST=secret://PATH: where a host's credential is kept.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="The folder on the server that `file` locations are relative to.")
    ] = None,
    is_dry_run: _DryRun = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Take over locations, rules and GitHub organisations of a Backstage; again as often as you like.

    Example: roadbed import backstage --dry-run app-config.yaml app-config.production.yaml
    """
    paths = [*files, *(config or ())]
    secrets = dict(_read_secret(text) for text in secret or ())
    root = root or paths[0].parent / "packages" / "backend"
    try:
        read = read_configs(paths)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    plan = plan_import(read, Given(os.environ, root, secrets))
    if plan.questions and _asks(output):
        for host, given in plan.questions.items():
            reference = typer.prompt(f"Secret with the credential for {host} ({given}; empty: none)", default="")
            secrets |= dict([_read_secret(f"{host}={reference}")]) if reference else {}
        plan = plan_import(read, Given(os.environ, root, secrets))
    with connect(url) as client:
        known = {(one["type"], one["target"]): one for one in client.pages("/locations", limit=100_000)}
        outcomes = [
            _put(client, wish, known.get((wish.type, wish.target)), is_dry_run=is_dry_run) for wish in plan.wishes
        ]
    _show_plan(plan, outcomes, output)
    if any(outcome["state"] == "refused" for outcome in outcomes):
        raise typer.Exit(Exit.FAILED)


@app.command()
def people(
    file: Annotated[Path, typer.Argument(help="A CSV file; its columns are in docs/how-to/import-people.md.")],
    is_dry_run: _DryRun = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Put users and groups of a CSV file into the catalog; again as often as you like.

    Example: roadbed import people people.csv
    """
    found = _read_people(file)
    with connect(url) as client:
        for ref, line in found.foreign_groups.items():
            if not _exists(client, ref):
                errors.print(f"Warning: line {line}: {ref} is neither in the file nor in the catalog.", markup=False)
        rows = [] if is_dry_run else list(_put_people(client, found.entities))
    if is_dry_run:
        rows = [{"ref": _ref_of(entity), "change": "not put: dry run"} for entity in found.entities]
    show(rows, output, columns=[("Entity", "ref"), ("Change", "change")], name="ref")


def _read_people(file: Path) -> PeopleFile:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise typer.BadParameter(f"{file} has more than {MAX_BYTES:,} bytes.")
        found = read_people(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.") from error
    if found.faults:
        fail(
            f"{file} was not imported.",
            hint="Correct these lines; nothing was put.",
            problems=[str(fault) for fault in found.faults],
        )
        raise typer.Exit(Exit.FAILED)
    return found


def _put_people(client: Client, entities: Sequence[dict[str, Any]]) -> Any:
    groups_first = sorted(entities, key=lambda entity: entity["kind"] != "Group")
    for start in range(0, len(groups_first), _AT_ONCE):
        for row in client.post("/entities", groups_first[start : start + _AT_ONCE])["items"]:
            yield {"ref": row["ref"], "change": row["change"] or "unchanged"}


def _exists(client: Client, ref: str) -> bool:
    kind, _, rest = ref.partition(":")
    try:
        client.get(f"/entities/{kind}/{rest}")
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True


def _ref_of(entity: Mapping[str, Any]) -> str:
    metadata = entity["metadata"]
    return f"{entity['kind'].lower()}:{metadata['namespace']}/{metadata['name']}"


def _put(client: Client, wish: Wish, known: Mapping[str, Any] | None, *, is_dry_run: bool) -> dict[str, Any]:
    """Register a location, or bring one that is registered to what is wanted; returns what was done."""
    row = {"origin": wish.origin, "type": wish.type, "target": wish.target, "state": "unchanged", "reason": None}
    changes = {name: value for name, value in wish.options.items() if _differs((known or {}).get(name), value)}
    if known is not None and not changes:
        return row
    row["state"] = "new" if known is None else "changed"
    if is_dry_run:
        return row
    try:
        if known is None:
            client.post("/locations", wish.as_json())
        else:
            client.request("PATCH", f"/locations/{known['id']}", body=changes)
    except ApiError as error:
        if error.status == 401:
            raise
        row |= {"state": "refused", "reason": f"{error.message} {error.hint or ''}".strip()}
    return row


def _differs(known: Any, wanted: Any) -> bool:
    return sorted(known) != sorted(wanted) if isinstance(wanted, list) and isinstance(known, list) else known != wanted


def _show_plan(plan: Plan, outcomes: list[dict[str, Any]], output: Format) -> None:
    not_taken = [*map(_describe, plan.not_taken)]
    if output is not Format.TABLE:
        show({"taken": outcomes, "not_taken": not_taken}, output, columns=[], name="taken")
        return
    columns = [("From", "origin"), ("Type", "type"), ("Target", "target"), ("State", "state"), ("Why", "reason")]
    show(outcomes, output, columns=columns, name="target")
    if not_taken:
        errors.print("\nNot taken:")
        show(not_taken, output, columns=[("From", "origin"), ("Why", "reason")], name="origin")


def _describe(item: NotTaken) -> dict[str, str]:
    return {"origin": item.origin, "reason": item.reason}


def _read_secret(text: str) -> tuple[str, str]:
    host, _, reference = text.partition("=")
    if not host or not reference.startswith("secret://"):
        raise typer.BadParameter(f"{text!r} is not HOST=secret://PATH.", param_hint="--secret")
    return host, reference


def _asks(output: Format) -> bool:
    return output is Format.TABLE and sys.stdin.isatty() and sys.stdout.isatty()
