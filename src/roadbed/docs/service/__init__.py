"""Use cases of documentation."""
