"""Outside systems, one folder each. They use the same door as plugins and stand above every domain."""
