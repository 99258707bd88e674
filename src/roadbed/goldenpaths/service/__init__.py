"""Use cases of golden paths."""
