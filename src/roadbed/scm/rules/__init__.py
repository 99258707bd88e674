"""Pure rules: names and paths, what a push may do, when a merge may happen, git's formats on the wire and in diffs."""
