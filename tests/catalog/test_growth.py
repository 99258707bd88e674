"""A catalog that was small for long and grows at once: what the database learnt of it does not hold it up."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from roadbed.core.db import Database
from roadbed.core.services import Services
from tests.catalog.conftest import Place, component
from tests.catalog.test_index_following import new_index
from tests.support import RunningServer

SMALL_LOOKS = 8  # from the sixth time on, PostgreSQL may keep a plan
ENTITIES = 2500
BELIEVE_IN_FEW = (
    "UPDATE pg_class SET reltuples = CASE relname WHEN 'entities' THEN 1 ELSE 3 END, relpages = 1 "
    "WHERE relname IN ('entities', 'entity_relations')"
)
"""Has PostgreSQL believe what it does after it has counted tables with next to nothing in them."""

KEPT_PLANS = (  # put together so that it does not find itself
    "SELECT count(*) FROM pg_prepared_statements "
    "WHERE generic_plans > 0 AND statement LIKE '%FROM entity_' || 'relations%'"
)


@pytest.fixture
def connection(server: RunningServer) -> Iterator[Database]:
    """A pool of one connection, which keeps the statements that it has prepared; the tables are counted afterwards."""
    url = server.database.url.render_as_string(hide_password=False)
    database = Database(url, pool_size=1, statement_timeout_seconds=120, services=Services())
    yield database
    server.run(execute(database, "ANALYZE entities, entity_relations"))
    server.run(database.close())


async def count_kept_plans(database: Database) -> int:
    """Return how many of the queries for relations are run with one plan for all values."""
    async with database.read() as session:
        return int(await session.scalar(text(KEPT_PLANS)) or 0)


async def execute(database: Database, statement: str) -> None:
    async with database.write() as session:
        await session.execute(text(statement))


def test_index_is_loaded_when_a_small_catalog_has_grown(place: Place, connection: Database) -> None:
    index = new_index(connection, place.folder)
    place.write(a=component("grown-first"))
    place.register()
    place.server.run(execute(connection, BELIEVE_IN_FEW))
    for _ in range(SMALL_LOOKS):
        place.server.run(index.load())
    assert place.server.run(count_kept_plans(connection)) == 0
    place.write(b="".join(component(f"grown-{number}") for number in range(ENTITIES)))
    place.refresh()
    place.server.run(index.load())
    assert index.whole.has(f"component:default/grown-{ENTITIES - 1}")
