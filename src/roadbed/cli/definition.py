"""`roadbed definition`: what the definition of an API says, and what changed in it."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Format, console, errors, show
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Show what the definition of an API says, and what changed in it."
)

Api = Annotated[str, typer.Argument(metavar="[NAMESPACE/]NAME", help="An API; `api:` before it may stand.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="The change that brought it; the newest if unset.")
]
COLUMNS = [("Part", "label"), ("Name", "name"), ("Group", "group"), ("Summary", "summary")]
CHANGE_COLUMNS = [("Impact", "impact"), ("Where", "where"), ("What", "told"), ("Rule", "code")]


@app.command("show")
def show_definition(api: Api, version: VersionOption = None, output: Output = Format.TABLE, url: Url = None) -> None:
    """List the operations, messages and types of a definition; `-o json` gives all that it says.

    Example: roadbed definition show orders
    """
    with connect(url) as client:
        found = client.get(_address(api), version=version)
    if output in (Format.JSON, Format.YAML):
        show(found, output, columns=[])
        return
    head = found["head"]
    if output is Format.TABLE:
        title = f"{head.get('title') or api} {head.get('version', '')}".strip()
        console.print(f"{title}, {head['format']}", markup=False)
    show([*head.get("elements", ()), *head.get("types", ())], output, columns=COLUMNS, name="id")


@app.command("diff")
def diff(
    api: Api,
    version: VersionOption = None,
    since: Annotated[int | None, typer.Option(help="The older one; the version before if unset.")] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Tell what changed from one version of a definition to the next, and what of it breaks clients.

    Example: roadbed definition diff orders -o json
    """
    with connect(url) as client:
        found = client.get(f"{_address(api)}/changes", version=version, since=since)
    if output in (Format.JSON, Format.YAML):
        show(found, output, columns=[])
        return
    if found["before"] is None:
        errors.print("There is no version before it.")
        return
    if output is Format.TABLE:
        console.print(
            f"Change {found['before']['position']} to {found['after']['position']}: {found['breaking']} breaking"
        )
    show([_tell(change) for change in found["items"]], output, columns=CHANGE_COLUMNS, name="code")


def _address(api: str) -> str:
    namespace, _, name = api.removeprefix("api:").rpartition("/")
    return f"/entities/api/{namespace or 'default'}/{name}/definition"


def _tell(change: dict[str, Any]) -> dict[str, Any]:
    values = (
        f": {change['before'] or 'none'} to {change['after'] or 'none'}" if change["before"] or change["after"] else ""
    )
    return {**change, "where": " > ".join(change["place"]), "told": f"{change['sign']} {change['what']}{values}"}
