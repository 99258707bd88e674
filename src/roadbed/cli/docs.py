"""`roadbed docs`: documentation of entities."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from roadbed.cli.output import Exit, Format, print_plain, say, show
from roadbed.cli.runs import follow_run
from roadbed.cli.server.mkdocs import install_mkdocs
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Documentation of entities.")

Ref = Annotated[str, typer.Argument(metavar="[KIND:][NAMESPACE/]NAME", help="The entity; a component by its name.")]
COLUMNS = [
    ("Entity", "ref"),
    ("State", "state"),
    ("Pages", "version.pages"),
    ("Broken links", "version.broken_links"),
    ("Version", "version.revision"),
    ("Built by", "version.builder"),
    ("Built", "version.built_at"),
]


def _path_of(ref: str) -> str:
    """Return the address of an entity's documentation under the API."""
    kind, _, rest = ref.rpartition(":")
    namespace, _, name = rest.rpartition("/")
    if not name:
        raise typer.BadParameter(f"{ref!r} names no entity.", param_hint="NAME")
    return f"/docs/{kind or 'component'}/{namespace or 'default'}/{name}"


@app.command("list")
def list_sites(
    query: Annotated[str, typer.Option("--query", "-q", help="A part of a name or title.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """List what is documented, and how its last build went.

    Example: roadbed docs list -q orders
    """
    with connect(url) as client:
        show(list(client.pages("/docs", limit=limit, q=query or None)), output, columns=COLUMNS, name="ref")


@app.command("open")
def open_site(
    ref: Ref,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only print it.")] = True,
    url: Url = None,
) -> None:
    """Print the address of an entity's documentation, and open it in a browser.

    Example: roadbed docs open orders --no-browser
    """
    with connect(url) as client:
        address = f"{client.url}{client.get(_path_of(ref))['href']}"
    print_plain(address)
    if browser:
        webbrowser.open(address)


@app.command("build")
def build_site(
    ref: Ref,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is built.")] = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Build an entity's documentation now, also when nothing changed.

    Example: roadbed docs build orders --wait
    """
    with connect(url) as client:
        started = client.post(f"{_path_of(ref)}/builds")
        if wait:
            run = follow_run(client, started["run_id"])
            raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)
        show(started, output, columns=[("Run", "run_id")], name="run_id")


@app.command("install")
def install(
    home: Annotated[Path | None, typer.Option("--home", help="The home folder. [env: ROADBED_HOME]")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Install mkdocs on this machine, for sites that have a mkdocs.yml. The server may run.

    Example: roadbed docs install
    """
    folder, version = install_mkdocs(home)
    said = f"mkdocs-techdocs-core {version} is in {folder}. The next builds use it."
    say(said, {"folder": str(folder), "version": version}, output, name="folder")
