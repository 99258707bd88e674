"""Roadbed's own lint rules: what the design demands and no published tool checks.

`python -m tools.lint` checks the whole tree; `python -m tools.lint src/roadbed/catalog` a part of it. A rule is a class
in `rules/` with tests in `tests/tools/`. There are no suppression comments: a place that must break a rule is an entry
with a reason in `exceptions.toml`, and an entry that nothing needs any more is a problem itself: the list only shrinks.
"""
