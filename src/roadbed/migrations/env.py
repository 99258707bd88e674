"""Alembic's environment: it is given an open connection by core.schema and nothing else."""

from alembic import context

from roadbed.core.db import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
