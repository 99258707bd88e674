"""Use cases of the catalog: entities, locations, statuses, and making the catalog equal to what was read."""
