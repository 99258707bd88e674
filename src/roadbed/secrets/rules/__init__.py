"""Pure rules: what paths and references look like, and how one value is encrypted."""
