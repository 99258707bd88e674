"""What can be done with accounts, roles, sessions and tokens."""
