"""The `roadbed` command: its commands, each loaded when it is used, and errors as exit codes."""

import gc
import importlib
import sys
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

from roadbed.cli.output import Exit, fail
from roadbed.client.http import ApiError, ClientError
from roadbed.core.errors import Forbidden, Invalid, NotFound, RoadbedError


@dataclass(frozen=True)
class Entry:
    """A command: the module that holds its Typer `app`, and the line for the overview."""

    module: str
    help: str


COMMANDS = {
    "up": Entry("roadbed.cli.server.up", "Start Roadbed on this machine."),
    "login": Entry("roadbed.cli.login", "Keep a server's address and a token for later commands."),
    "token": Entry("roadbed.cli.tokens", "Create, list and revoke access tokens."),
    "create": Entry("roadbed.cli.create", "Create a service from a golden path."),
    "apply": Entry("roadbed.cli.apply", "Put entities from files into the catalog."),
    "edit": Entry("roadbed.cli.edit", "Change an entity: where it is kept, or in its file by a change request."),
    "set": Entry("roadbed.cli.set", "Set the owner or lifecycle of many entities."),
    "get": Entry("roadbed.cli.get", "List entities, or show one."),
    "history": Entry("roadbed.cli.history", "List the versions of an entity."),
    "restore": Entry("roadbed.cli.restore", "Go back to an earlier version of an entity."),
    "impact": Entry("roadbed.cli.impact", "List what is affected if an entity fails."),
    "views": Entry("roadbed.cli.views", "Save, list, delete and restore views of the catalog."),
    "follow": Entry("roadbed.cli.follow", "Follow an entity, or list what you follow."),
    "unfollow": Entry("roadbed.cli.unfollow", "Follow an entity no longer."),
    "validate": Entry("roadbed.cli.server.validate", "Check entity files, without a server."),
    "schema": Entry("roadbed.cli.schema", "Print the JSON Schema of a kind."),
    "definition": Entry("roadbed.cli.definition", "Show what the definition of an API says, and what changed in it."),
    "locations": Entry("roadbed.cli.locations", "Say where the catalog is read from."),
    "docs": Entry("roadbed.cli.docs", "Documentation of entities: list, open, build."),
    "import": Entry("roadbed.cli.importing", "Take over what another catalog or a list of people has."),
    "runs": Entry("roadbed.cli.runs", "See, follow and steer runs."),
    "resources": Entry("roadbed.cli.resources", "Ask for databases and more, see and delete them."),
    "approvals": Entry("roadbed.cli.approvals", "See what waits for a decision, and decide."),
    "changes": Entry("roadbed.cli.changes", "Open, see, approve and merge change requests."),
    "deploy": Entry("roadbed.cli.deploy", "Deploy a component to an environment."),
    "promote": Entry("roadbed.cli.promote", "Deploy to one environment what runs in another."),
    "rollback": Entry("roadbed.cli.rollback", "Go back to what ran before."),
    "logs": Entry("roadbed.cli.logs", "Print or follow what a workload prints."),
    "env": Entry("roadbed.cli.env", "See and compare environments, restart and stop what runs in them."),
    "inventory": Entry("roadbed.cli.inventory", "List what exists outside the database, and what it belongs to."),
    "config": Entry("roadbed.cli.config", "Look at the server's configuration."),
    "db": Entry("roadbed.cli.server.db", "The database of a home folder."),
    "version": Entry("roadbed.cli.version", "Print the version of this command."),
}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is used: most of them need none of the server's code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Typer's
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        gc.disable()  # loading makes no garbage, and looking for it takes a sixth of the time
        try:
            command = typer.main.get_command(importlib.import_module(entry.module).app)
        finally:
            gc.enable()
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is Typer's
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


app = typer.Typer(
    cls=LazyGroup, name="roadbed", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def main() -> None:
    """An internal developer platform: catalog, golden paths, infrastructure, environments.

    `roadbed COMMAND --help` tells about one command, with an example.
    """


def exit_code_of(error: RoadbedError | ClientError) -> Exit:
    """Return the documented exit code for an error of the server or of this program."""
    if isinstance(error, ApiError):
        return {401: Exit.DENIED, 403: Exit.DENIED, 404: Exit.NOT_FOUND}.get(error.status, Exit.FAILED)
    if isinstance(error, Forbidden):
        return Exit.DENIED
    return Exit.NOT_FOUND if isinstance(error, NotFound) else Exit.FAILED


def run() -> None:
    """Run the command line; the entry point."""
    try:
        app()
    except (RoadbedError, ClientError) as error:
        problems: list[Any] = error.problems if isinstance(error, (Invalid, ApiError)) else []
        fail(error.message, hint=error.hint, problems=problems)
        sys.exit(exit_code_of(error))
