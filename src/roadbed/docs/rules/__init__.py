"""Decisions without I/O: where an annotation leads, which pages a site has, which links hold, what mkdocs may do."""
