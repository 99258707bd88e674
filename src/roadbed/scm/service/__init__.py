"""Use cases: repositories and their content, pushes, change requests, statuses, webhooks; and the built-in git host."""
