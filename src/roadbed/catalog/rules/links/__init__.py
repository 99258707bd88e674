"""Links that annotations imply: `table` says which annotation leads where, `making` makes the addresses."""
