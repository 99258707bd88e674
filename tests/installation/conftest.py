"""An outside PostgreSQL for the tests of one module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import let_postgres_pass
from tests.installation.support import newest_system_programs, outside_server


@pytest.fixture(scope="module")
def open_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that PostgreSQL's account can pass."""
    folder = tmp_path_factory.mktemp("outside")
    let_postgres_pass(folder)
    return folder


@pytest.fixture(scope="module")
def database_url(open_folder: Path) -> Iterator[str]:
    programs = newest_system_programs()
    if programs is None:
        pytest.skip("no PostgreSQL ≥ 15 is installed in /usr/lib/postgresql")
    with outside_server(programs, open_folder / "outside") as url:
        yield url
