"""The database's schema over time: one ordered history for all domains.

Migrations expand, backfill and contract, so that the version before still runs against the schema after.
"""
