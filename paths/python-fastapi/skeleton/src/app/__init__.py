"""${{ values.name }}: docs/architecture.md is the map of this package."""

SERVICE = "${{ values.name }}"
VERSION = "0.1.0"
