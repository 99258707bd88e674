"""`roadbed import`: take over what another catalog or a list of people has."""

from roadbed.cli.importing.commands import app

__all__ = ["app"]
