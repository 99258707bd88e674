"""Use cases of resources."""
