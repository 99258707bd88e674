"""`roadbed promote`."""

from typing import Annotated

import typer

from roadbed.cli.deploy import Component, Key, Wait, finish
from roadbed.cli.env import Application
from roadbed.cli.output import Format
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)


@app.command()
def promote(
    application: Application,
    source: Annotated[str, typer.Option("--from", help="The environment whose version is taken.")],
    target: Annotated[str, typer.Option("--to", help="The environment that gets it.")],
    component: Component = None,
    wait: Wait = False,
    key: Key = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Deploy to one environment what runs in another.

    Example: roadbed promote orders --from staging --to production --wait
    """
    body = {"from_environment": source, "component": component}
    with connect(url) as client:
        started = client.post(f"/environments/{application}/{target}/deployments", body, key=key)
        finish(client, started, is_awaited=wait, output=output)
