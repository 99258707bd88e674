"""`roadbed config`: what is set, and whether it is valid."""

import typer

from roadbed.cli.output import Format, say, show
from roadbed.cli.session import Output
from roadbed.core.settings import describe, load_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at the server's configuration.")


@app.command("show")
def show_settings(output: Output = Format.TABLE) -> None:
    """Print every setting with its value; secret ones are masked.

    Example: roadbed config show -o json
    """
    rows = [
        {"variable": variable, "value": value, "meaning": meaning}
        for variable, value, meaning in describe(load_settings())
    ]
    show(rows, output, columns=[("Variable", "variable"), ("Value", "value"), ("Meaning", "meaning")], name="variable")


@app.command()
def check(output: Output = Format.TABLE) -> None:
    """Check the environment and roadbed.toml, and name each variable that is wrong.

    Example: roadbed config check
    """
    load_settings()
    say("The configuration is valid.", {"state": "valid"}, output, name="state")
