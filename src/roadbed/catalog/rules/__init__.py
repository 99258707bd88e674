"""Pure decisions of the catalog: reading YAML, field formats, kinds and their schemas, validation, relations."""
