"""Pages: sign-in, the own account and its tokens, and for admins accounts and roles."""
