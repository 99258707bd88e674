"""The step that builds a site, and what it uses."""
