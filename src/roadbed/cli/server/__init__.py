"""The commands that work on this machine and need the server's own code: start it, keep its database, check files."""
