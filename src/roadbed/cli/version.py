"""`roadbed version`."""

import typer

import roadbed
from roadbed.cli.output import Format, print_plain, show
from roadbed.cli.session import Output

app = typer.Typer(add_completion=False)


@app.command()
def version(output: Output = Format.TABLE) -> None:
    """Print the version of this command.

    Example: roadbed version
    """
    if output in (Format.TABLE, Format.NAME):
        print_plain(roadbed.__version__)
    else:
        show({"version": roadbed.__version__}, output, columns=[])
