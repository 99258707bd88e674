"""`roadbed token`: access tokens."""

from pathlib import Path
from typing import Annotated

import typer

from roadbed.cli.output import Format, console, errors, print_plain, show
from roadbed.cli.server.local import create_token_of_owner
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create, list and revoke access tokens.")

COLUMNS = [("Id", "id"), ("Name", "name"), ("Begins", "hint"), ("Expires", "expires_at"), ("Last used", "last_used_at")]


@app.command()
def create(
    local: Annotated[bool, typer.Option("--local", help="As the owner of the home folder, without sign-in.")] = False,
    role: Annotated[str, typer.Option(help="With --local: the role that the token has.")] = "admin",
    home: Annotated[
        Path | None, typer.Option("--home", help="With --local: the home folder. [env: ROADBED_HOME]")
    ] = None,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    days: Annotated[int, typer.Option(help="How long it is valid.")] = 90,
    scope: Annotated[
        list[str] | None, typer.Option(help="Limit it to these permissions, `catalog.*`; may be repeated.")
    ] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Create a token and print it. Its value cannot be shown again.

    Example: export ROADBED_TOKEN=$(roadbed token create --local --role developer)
    """
    if local:
        print_plain(create_token_of_owner(home, role))
        return
    with connect(url) as client:
        token = client.post("/tokens", {"name": name, "expires_in_days": days, "scopes": scope or None})
    if output is Format.TABLE:
        errors.print(f"The token {name!r} is valid until {token['expires_at']}.")
        print_plain(token["value"])
    else:
        show(token, output, columns=[])


@app.command("list")
def list_tokens(output: Output = Format.TABLE, url: Url = None) -> None:
    """List your tokens, without their values.

    Example: roadbed token list
    """
    with connect(url) as client:
        show(list(client.pages("/tokens", limit=1000)), output, columns=COLUMNS)


@app.command()
def revoke(token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's id.")], url: Url = None) -> None:
    """End a token for good.

    Example: roadbed token revoke 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        client.delete(f"/tokens/{token_id}")
    console.print("The token is revoked.")
