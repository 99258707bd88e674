"""Use cases: the vault and its start, the verbs on values, the mask of this process."""
