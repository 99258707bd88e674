"""The web shell: the frame of every page, its parts and static files, Home and search."""
