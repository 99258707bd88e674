"""`roadbed rollback`."""

from typing import Annotated

import typer

from roadbed.cli.deploy import Component, Key, Wait, finish
from roadbed.cli.env import Application, Environment
from roadbed.cli.output import Format
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)


@app.command()
def rollback(
    application: Application,
    environment: Environment,
    deployment: Annotated[str | None, typer.Option("--to", help="An earlier deployment; else what ran before.")] = None,
    component: Component = None,
    wait: Wait = False,
    key: Key = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Go back to what ran before.

    Example: roadbed rollback orders production --wait
    """
    body = {"deployment_id": deployment, "component": component}
    with connect(url) as client:
        started = client.post(f"/environments/{application}/{environment}/rollback", body, key=key)
        finish(client, started, is_awaited=wait, output=output)
