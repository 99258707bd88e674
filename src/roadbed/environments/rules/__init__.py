"""Pure decisions about environments."""
