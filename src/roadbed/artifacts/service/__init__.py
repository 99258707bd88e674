"""Use cases of artifacts: store, find, unpack."""
