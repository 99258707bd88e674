"""Pure decisions about golden paths."""
