"""Roadbed: an internal developer platform in one package."""

__version__ = "0.1.0"
