"""The catalog as the API takes and gives it."""
