"""Ingestion: reading locations of each type, and the run that makes the catalog equal to what was read."""
