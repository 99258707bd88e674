"""Pages, and the address of the git protocol."""
