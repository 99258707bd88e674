"""`roadbed token`: access tokens."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from roadbed.cli.output import Format, console, errors, print_plain, show
from roadbed.cli.session import Output, Url, connect
from roadbed.core.db import Database
from roadbed.core.home import open_home_database
from roadbed.core.services import Services
from roadbed.core.settings import Settings, load_settings
from roadbed.identity.contract import create_local_token

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke access tokens.")

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
        print_plain(asyncio.run(_create_local(load_settings(home=home), role)))
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


async def _create_local(settings: Settings, role: str) -> str:
    async with open_home_database(settings) as home:
        database = Database(home.database_url, pool_size=2, statement_timeout_seconds=60, services=Services())
        try:
            async with database.write() as session:
                token = await create_local_token(session, role=role, made_by=getpass.getuser())
        finally:
            await database.close()
    assert token.value is not None
    return token.value
