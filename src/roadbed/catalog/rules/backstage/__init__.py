"""What Backstage's catalog API means: its filters, predicates, field selections, orders and pages.

The grammar and its corners are those of Backstage 1.55; where Roadbed answers otherwise on purpose,
docs/reference/backstage-compatibility.md says so.
"""
