"""A small HTTP client of Roadbed's API, for the command line and for scripts. It imports no server code."""

from roadbed.client.http import ApiError, Client, Unreachable

__all__ = ["ApiError", "Client", "Unreachable"]
