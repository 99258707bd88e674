"""REST: repositories and their content, change requests, webhooks."""
