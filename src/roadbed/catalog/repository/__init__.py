"""Every query of the catalog, by what it is about."""
