"""Pure decisions about resources."""
