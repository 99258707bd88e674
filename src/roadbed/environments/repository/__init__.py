"""Every query of the domain, by what it is about."""
