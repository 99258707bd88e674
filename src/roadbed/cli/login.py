"""`roadbed login`."""

import sys
from typing import Annotated

import typer

from roadbed.cli.output import console
from roadbed.cli.session import DEFAULT_URL, Login, write_login
from roadbed.client import Client

app = typer.Typer(add_completion=False)


@app.command()
def login(
    url: Annotated[
        str, typer.Option("--url", envvar="ROADBED_URL", help="The server's address.", show_default=True)
    ] = DEFAULT_URL,
    token: Annotated[
        str | None, typer.Option(envvar="ROADBED_TOKEN", help="A token; asked for when not given.", show_default=False)
    ] = None,
) -> None:
    """Check a token and keep it, with the server's address, for later commands.

    Tokens are made on the page *Account*, or by `roadbed token create`.

    Example: roadbed login --url https://roadbed.example.com
    """
    if token is None and not sys.stdin.isatty():
        raise typer.BadParameter("no token is given and there is nobody to ask", param_hint="--token")
    chosen: str = token or typer.prompt("Token", hide_input=True)
    with Client(url, chosen) as client:
        name = client.get("/me")["name"]
    path = write_login(Login(client.url, chosen))
    console.print(f"Signed in to {client.url} as {name}. The token is kept in {path}.")
