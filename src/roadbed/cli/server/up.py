"""`roadbed up`: the server. The only command that starts the application."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from roadbed.app import open_roadbed
from roadbed.cli.output import Exit, console, fail
from roadbed.core.home import Home
from roadbed.core.http.server import HttpServer, bind
from roadbed.core.lifecycle import Stopping
from roadbed.core.memory import configure_memory
from roadbed.core.replica import LeaseLost
from roadbed.core.services import Services
from roadbed.core.settings import CatalogSettings, LocationSettings, Role, Settings, load_settings
from roadbed.core.telemetry import configure_logging
from roadbed.identity.contract import FirstStart
from roadbed.sample import load_sample
from roadbed.secrets.contract import SecretMask

app = typer.Typer(add_completion=False)


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Where to listen. [env: ROADBED_HOST; default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0 takes a free one. [env: ROADBED_PORT; default: 8400]")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="The folder for all data. [env: ROADBED_HOME]")] = None,
    role: Annotated[
        Role | None,
        typer.Option(help="One of several processes over one database: pages only, or runs only. [env: ROADBED_ROLE]"),
    ] = None,
    location: Annotated[
        list[str] | None,
        typer.Option(help="What the catalog reads: path, glob, git repository or a file's address. Repeatable."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Fill an empty catalog with the sample organisation.")
    ] = False,
) -> None:
    """Start Roadbed on this machine, with everything it needs, until it is told to stop.

    Example: roadbed up --sample
    """
    settings = load_settings(host=host, port=port, home=home, role=role)
    if location:
        places = [*settings.catalog.locations, *map(read_location, location)]
        settings = settings.model_copy(update={"catalog": CatalogSettings(locations=places)})
    mask = SecretMask()
    configure_logging(settings.telemetry, redact=mask.mask_data)
    configure_memory()
    asyncio.run(serve(settings, mask=mask, is_sample=sample))


def read_location(target: str) -> LocationSettings:
    """Tell what kind of place is meant: a YAML file's address, a git repository, or a path from the working folder."""
    address, _, _ = target.partition("#")
    if address.startswith(("http://", "https://")) and address.endswith((".yaml", ".yml")):
        return LocationSettings(type="url", target=target)
    if "://" in address or address.startswith(("roadbed:", "git@")):
        return LocationSettings(type="git", target=target)
    return LocationSettings(type="file", target=str(Path(target).expanduser().absolute()))


async def serve(settings: Settings, *, mask: SecretMask, is_sample: bool) -> None:
    """Listen first, so that a taken port is told before anything starts; then start, serve and stop."""
    with bind(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        settings = settings.model_copy(update={"port": port})
        async with open_roadbed(settings, mask=mask, on_lost=end_at_once) as application:
            services: Services = application.state.services
            server = HttpServer(
                application, stopping=services.get(Stopping), shutdown_seconds=settings.http.shutdown_seconds
            )
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, server.stop)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            await server.is_answering.wait()
            greet(settings, services)
            if is_sample:
                await load_sample(services)
            await task


def end_at_once(error: LeaseLost) -> None:
    """End this process in the middle of whatever it does: others do it now."""
    fail(error.message, hint=error.hint)
    os._exit(Exit.FAILED)


def greet(settings: Settings, services: Services) -> None:
    """Say where the page is, and how to get in the first time."""
    console.print(f"\nRoadbed is at [bold]{settings.base_url}[/]   data in {services.get(Home).path}")
    first = services.get(FirstStart)
    if first.password is not None:
        console.print(f"Sign in as [bold]{first.account}[/] with the password [bold]{first.password}[/]")
        console.print("It is shown only now, and you choose your own at the first sign-in.")
    console.print("Stop with Ctrl-C.\n")
