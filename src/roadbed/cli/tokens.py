"""`roadbed token`: access tokens."""

from pathlib import Path
from typing import Annotated

import typer

from roadbed.cli.output import Format, errors, print_plain, say, show
from roadbed.cli.server.local import create_token_of_owner
from roadbed.cli.session import Output, Url, connect, id_argument

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create, list and revoke access tokens.")

COLUMNS = [("Id", "id"), ("Name", "name"), ("Begins", "hint"), ("Expires", "expires_at"), ("Last used", "last_used_at")]


@app.command()
def create(
    local: Annotated[bool, typer.Option("--local", help="As the owner of the home folder, without sign-in.")] = False,
    role: Annotated[str, typer.Option(help="With --local: the role that the token has.")] = "admin",
    home: Annotated[
        Path | None, typer.Option("--home", help="With --local: the home folder. [env: ROADBED_HOME]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the token is for.", show_default="command line")] = None,
    days: Annotated[int, typer.Option(min=1, help="How long it is valid.")] = 90,
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
        token = create_token_of_owner(home, role, name=name, days=days, scopes=scope)
    else:
        with connect(url) as client:
            body = {"name": name or "command line", "expires_in_days": days, "scopes": scope or None}
            token = client.post("/tokens", body)
    if output is Format.TABLE:
        errors.print(f"The token {token['name']!r} is valid until {token['expires_at']}.")
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
def revoke(
    token_id: Annotated[str, id_argument("token", listed_by="roadbed token list")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """End a token for good.

    Example: roadbed token revoke 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        client.delete(f"/tokens/{token_id}")
    say("The token is revoked.", {"id": token_id, "state": "revoked"}, output)
