"""The steps of a pipeline run."""
