"""The catalog: the record of what exists, who owns it, and how it hangs together.

Its words:

- **Entity**: something that is declared, `{apiVersion, kind, metadata, spec}`. Its ref is `kind:namespace/name`.
- **Kind**: the type of an entity, with the schema of its `spec` and the relations that follow from it.
- **Location**: where entities are read from: a file or glob, a git repository. A `Location` entity names more.
- **Ingestion**: a run that reads a location and makes the catalog equal to what was read.
- **Relation**: a typed edge between two refs, kept in both directions. It may be dangling: its target is not there.
- **Orphan**: an entity that its location no longer holds, or whose location is gone.
- **Problem**: a fault in what was read, with file, line, column, path, reason and hint. It never stops the rest.
- **Status**: what another domain reports about an entity, such as its health, with source and time.
"""
