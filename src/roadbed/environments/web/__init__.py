"""Pages of environments, by what they show."""
