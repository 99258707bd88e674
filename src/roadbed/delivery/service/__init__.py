"""Use cases of delivery: choose a pipeline, start it, keep and read what it reports."""
