"""Pure helpers without I/O and without words of any domain: ids, clock, refs, slugs, paging, text, canonical JSON."""
