"""`roadbed db`: the database of a home folder, for those who run Roadbed."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from roadbed.app import MODULES
from roadbed.cli.output import Format, say, show
from roadbed.cli.session import Output
from roadbed.core.backup import BACKUP, back_up, restore
from roadbed.core.db import Database
from roadbed.core.extension import load
from roadbed.core.home import Home, open_home_database, require_installation
from roadbed.core.schema import SchemaStatus, migrate, read_status
from roadbed.core.services import Services
from roadbed.core.settings import Settings, load_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The database of a home folder.")

HomeOption = Annotated[Path | None, typer.Option("--home", help="The home folder. [env: ROADBED_HOME]")]
COLUMNS = [("Schema", "current"), ("Newest", "newest"), ("Pending", "pending")]


def connect_database(home: Home) -> Database:
    """Return the database of an open home folder."""
    return Database(home.database_url, pool_size=2, statement_timeout_seconds=3600, services=Services())


@app.command()
def status(home: HomeOption = None, output: Output = Format.TABLE) -> None:
    """Print the schema's version and what an upgrade would apply.

    Example: roadbed db status
    """
    _show_status(asyncio.run(_with_schema(load_settings(home=home), is_upgrade=False)), output)


@app.command("migrate")
def migrate_schema(home: HomeOption = None, output: Output = Format.TABLE) -> None:
    """Bring the schema to the newest version. `roadbed up` does this by itself.

    Example: roadbed db migrate
    """
    _show_status(asyncio.run(_with_schema(load_settings(home=home), is_upgrade=True)), output)


@app.command("backup")
def back_up_home(
    file: Annotated[Path, typer.Argument(help="The archive to write.", dir_okay=False)],
    home: HomeOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Write databases, repositories and stored files into one archive; never the secrets key. The server may run.

    Example: roadbed db backup roadbed.tar
    """
    report = asyncio.run(back_up(load_settings(home=home), file, folders=load(MODULES).get(BACKUP)))
    lines = [
        f"Written {file}: {report.size_bytes:,} bytes.",
        "The secrets key is not in it. Keep it elsewhere: without it the stored secrets cannot be read.",
    ]
    say("\n".join(lines), {"file": str(file), "size_bytes": report.size_bytes}, output, name="file")


@app.command("restore")
def restore_home(
    file: Annotated[Path, typer.Argument(help="An archive of `roadbed db backup`.", exists=True, dir_okay=False)],
    home: HomeOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Fill an empty home folder from an archive. The server must not run.

    Example: roadbed db restore roadbed.tar --home ./elsewhere
    """
    report = asyncio.run(restore(load_settings(home=home), file, folders=load(MODULES).get(BACKUP)))
    lines = [f"Restored into {report.home}.", *(f"Not restored: {line}" for line in report.lost)]
    say("\n".join(lines), {"home": str(report.home), "lost": list(report.lost)}, output, name="home")


async def _with_schema(settings: Settings, *, is_upgrade: bool) -> SchemaStatus:
    require_installation(settings)
    async with open_home_database(settings) as home:
        database = connect_database(home)
        try:
            return await migrate(database) if is_upgrade else await read_status(database)
        finally:
            await database.close()


def _show_status(found: SchemaStatus, output: Format) -> None:
    row = {"current": found.current, "newest": found.newest, "pending": ", ".join(found.pending) or "none"}
    show(row, output, columns=COLUMNS, name="current")
