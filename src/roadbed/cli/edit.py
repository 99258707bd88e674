"""`roadbed edit`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from roadbed.cli.apply import show_checks
from roadbed.cli.output import Exit, Format, print_plain, say
from roadbed.cli.session import Output, Url, connect, entity_path
from roadbed.client import Client
from roadbed.kit.yamls import write_yaml

app = typer.Typer(add_completion=False)


@app.command()
def edit(
    entity: Annotated[str, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="The entity, which a file holds.")],
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="Its new YAML, or - for standard input; without it, an editor.")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the change request.")] = "",
    message: Annotated[str, typer.Option("--message", "-m", help="Why, in Markdown.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and what is wrong.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Change an entity: in its file by a change request, or at once where the catalog keeps it.

    Example: roadbed edit component:default/orders
    Example: roadbed edit component:default/orders -f orders.yaml --dry-run
    """
    path = entity_path(entity)
    with connect(url) as client:
        known = client.get(path)
        if known["source"]["location_id"] is None:
            raise typer.Exit(_put(client, known, file, output, is_dry=dry_run))
        source = client.get(f"{path}/source")
        body = {"text": _read(file, source["text"]), "base": source["commit"]}
        if dry_run or not source["is_writable"]:
            raise typer.Exit(_check(client, path, body, source, output, is_dry=dry_run))
        made = client.post(f"{path}/proposals", {**body, "title": title, "message": message})
    where = f"{made['repository']}: {client.url}{made['href']}"
    say(f"Change request #{made['number']} in {where}", made, output, name="href")


def _put(client: Client, known: dict[str, Any], file: str | None, output: Format, *, is_dry: bool) -> Exit:
    """Change an entity that the catalog keeps, unless somebody else has since it was read."""
    metadata = {name: value for name, value in known["metadata"].items() if name != "uid"}
    document = {**{name: known[name] for name in ("apiVersion", "kind")}, "metadata": metadata, "spec": known["spec"]}
    content = _read(file, write_yaml(document)).encode()
    if is_dry:
        return show_checks([client.send_yaml("/validate", content)], output)
    (done,) = client.send_yaml("/entities", content, etag=known["etag"])["items"]
    say(f"{done['ref']}: {done['change'] or 'unchanged'}", done, output, name="ref")
    return Exit.OK


def _check(
    client: Client, path: str, body: dict[str, Any], source: dict[str, Any], output: Format, *, is_dry: bool
) -> Exit:
    """Show what would change; of a file that is only read, also where to put it."""
    draft = client.post(f"{path}/proposals/check", body)
    if output is not Format.TABLE:
        say("", draft, output, name="valid")
    else:
        for problem in draft["problems"]:
            place = f"{problem['line']}:{problem['column']}"
            print_plain(f"{place}: {problem['severity']}: {problem['reason']} {problem['hint']}".rstrip())
        print_plain(draft["diff"].rstrip("\n"))
        if not source["is_writable"]:
            print_plain(f"{source['reason']} Change it there: {source['href'] or source['place']}")
    return Exit.OK if draft["valid"] and is_dry else Exit.FAILED


def _read(file: str | None, before: str) -> str:
    if file == "-":
        return sys.stdin.read()
    if file is not None:
        try:
            return Path(file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file} cannot be read: {error}.", param_hint="--file") from error
    if not sys.stdin.isatty():
        raise typer.BadParameter("There is nobody to edit it here; give --file.", param_hint="--file")
    return click.edit(before, extension=".yaml", require_save=True) or before
